"""The script of the page: it steps through the film, and opens the details for printing."""

from __future__ import annotations

SCRIPT = """
(function () {
  "use strict";
  var frames = document.querySelectorAll("#frames > figure");
  var step = document.getElementById("step"), play = document.getElementById("play");
  var now = 0, timer = null;
  document.documentElement.classList.add("script");
  step.max = frames.length - 1;
  function show(index) {
    now = (index + frames.length) % frames.length;
    frames.forEach(function (frame, number) { frame.classList.toggle("now", number === now); });
    step.value = now;
    step.setAttribute("aria-valuetext", frames[now].querySelector("figcaption").textContent);
  }
  function stop() {
    clearInterval(timer);
    timer = null;
    play.textContent = "Play";
    play.setAttribute("aria-pressed", "false");
  }
  function start() {
    timer = setInterval(function () { show(now + 1); }, 700);
    play.textContent = "Pause";
    play.setAttribute("aria-pressed", "true");
  }
  function by(count) { stop(); show(now + count); }
  play.addEventListener("click", function () { if (timer) { stop(); } else { start(); } });
  step.addEventListener("input", function () { stop(); show(Number(step.value)); });
  document.getElementById("back").addEventListener("click", function () { by(-1); });
  document.getElementById("on").addEventListener("click", function () { by(1); });
  document.addEventListener("keydown", function (event) {
    if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) { return; }
    var count = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (!count) { return; }
    event.preventDefault();
    by(count);
  });
  var closed = [];
  window.addEventListener("beforeprint", function () {
    closed = Array.prototype.filter.call(document.querySelectorAll("details"), function (part) { return !part.open; });
    closed.forEach(function (part) { part.open = true; });
  });
  window.addEventListener("afterprint", function () { closed.forEach(function (part) { part.open = false; }); });
  show(0);
})();
"""
"""JavaScript. It holds no text of the results."""
