"""Stand-ins for the ctk widgets that hold numbers."""

from __future__ import annotations

from PySide6 import QtCore, QtWidgets

from .standin import emit, standin, stored

_TICKS = 10_000


class _Ranged:
    """A number between a minimum and a maximum, with Qt's rule that a value outside is brought inside."""

    def _bounded(self, value):
        return min(max(float(value), self._number("minimum")), self._number("maximum"))

    def _number(self, name):
        return float(stored(self, name, "double"))

    def _set_value(self, value):
        value = self._bounded(value)
        if value == self._number("value"):
            return
        self.__dict__.setdefault("_values", {})["value"] = value
        self._show()
        emit(self, "valueChanged(double)", value)

    def _after_minimum(self):
        self._limits_changed()

    def _after_maximum(self):
        self._limits_changed()

    def _limits_changed(self):
        self._set_value(self._number("value"))
        self._show()

    def setValue(self, value):
        """Set the number."""
        self._rig_check("value", value)
        self._set_value(value)

    def _show(self):
        """Show the number in the widgets inside."""


@standin(
    QtWidgets.QWidget,
    maximum=99.0,
    singleStep=1.0,
    pageStep=10.0,
    tracking=True,
    orientation=QtCore.Qt.Orientation.Horizontal,
)
class ctkDoubleSlider(_Ranged):
    """A slider with a floating-point value."""

    def __init__(self, *args):
        orientation = (
            args[0] if args and isinstance(args[0], QtCore.Qt.Orientation) else QtCore.Qt.Orientation.Horizontal
        )
        super().__init__(next((a for a in args if isinstance(a, QtCore.QObject)), None))
        self._slider = QtWidgets.QSlider(orientation, self)
        self._slider.setRange(0, _TICKS)
        self._layout = QtWidgets.QHBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.addWidget(self._slider)
        self._showing = False
        self._slider.valueChanged.connect(self._moved)
        self._slider.sliderPressed.connect(lambda: emit(self, "sliderPressed()"))
        self._slider.sliderReleased.connect(lambda: emit(self, "sliderReleased()"))

    def _after_orientation(self):
        self._slider.setOrientation(QtCore.Qt.Orientation(stored(self, "orientation")))

    def setOrientation(self, orientation):
        """Lie or stand."""
        self.orientation = orientation

    def _moved(self, ticks):
        if not self._showing:
            low, high = self._number("minimum"), self._number("maximum")
            self._set_value(low + (high - low) * ticks / _TICKS)

    def _show(self):
        low, high = self._number("minimum"), self._number("maximum")
        self._showing = True
        self._slider.setValue(round((self._number("value") - low) / ((high - low) or 1.0) * _TICKS))
        self._showing = False

    def _get_sliderPosition(self):
        return self._number("value")

    def _set_sliderPosition(self, value):
        self._set_value(value)


@standin(QtWidgets.QWidget, maximum=99.99, singleStep=1.0, decimals=2, frame=True)
class ctkDoubleSpinBox(_Ranged):
    """A spin box with a floating-point value."""

    def __init__(self, *args):
        super().__init__(next((a for a in args if isinstance(a, QtCore.QObject)), None))
        self._box = QtWidgets.QDoubleSpinBox(self)
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._box)
        self._showing = False
        self._box.valueChanged.connect(self._typed)
        self._box.editingFinished.connect(lambda: emit(self, "editingFinished()"))

    def _typed(self, value):
        if not self._showing:
            self._set_value(value)

    def _bounded(self, value):
        return round(super()._bounded(value), int(stored(self, "decimals", "int")))

    def _show(self):
        self._showing = True
        limit = 1e12  # a QDoubleSpinBox sizes itself by the text of its limits
        self._box.setDecimals(int(stored(self, "decimals", "int")))
        self._box.setRange(max(self._number("minimum"), -limit), min(self._number("maximum"), limit))
        self._box.setSingleStep(self._number("singleStep"))
        self._box.setPrefix(stored(self, "prefix", "QString"))
        self._box.setSuffix(stored(self, "suffix", "QString"))
        self._box.setValue(self._number("value"))
        self._showing = False

    _after_decimals = _after_singleStep = _after_prefix = _after_suffix = _show

    def _after_readOnly(self):
        self._box.setReadOnly(stored(self, "readOnly", "bool"))

    def _get_cleanText(self):
        return self._box.property("cleanText")

    def setDecimals(self, decimals):
        """Set the number of decimals."""
        self.decimals = decimals

    def setReadOnly(self, on):
        """Refuse or take typing."""
        self.readOnly = on

    def setValueIfDifferent(self, value):
        """Set the number."""
        self.setValue(value)

    setValueAlways = setValueIfDifferent

    def stepUp(self):
        """One step up."""
        self._set_value(self._number("value") + self._number("singleStep"))

    def stepDown(self):
        """One step down."""
        self._set_value(self._number("value") - self._number("singleStep"))


@standin(QtWidgets.QWidget, maximum=99.0, singleStep=1.0, pageStep=10.0, decimals=2, tracking=True, spinBoxVisible=True)
class ctkSliderWidget(_Ranged):
    """A slider with a spin box."""

    def __init__(self, parent=None):
        super().__init__(parent)
        self._inner_slider = ctkDoubleSlider(self)
        self._inner_box = ctkDoubleSpinBox(self)
        self._inner_slider.setObjectName("Slider")  # the names of CTK's own children
        self._inner_box.setObjectName("SpinBox")
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._inner_slider, 1)
        layout.addWidget(self._inner_box)
        self._showing = False
        self._inner_slider.valueChanged.connect(self._inner_changed)
        self._inner_box.valueChanged.connect(self._inner_changed)
        self._show()

    def _inner_changed(self, value):
        if not self._showing:
            self._set_value(value)

    def _bounded(self, value):
        return round(super()._bounded(value), int(stored(self, "decimals", "int")))

    def _show(self):
        self._showing = True
        for name in ("decimals", "singleStep", "prefix", "suffix"):
            self._inner_box.setProperty(name, stored(self, name, "double" if name == "singleStep" else "QString"))
        for inner in (self._inner_slider, self._inner_box):
            inner.setProperty("minimum", self._number("minimum"))
            inner.setProperty("maximum", self._number("maximum"))
            inner.setProperty("value", self._number("value"))
        self._inner_box.setVisible(stored(self, "spinBoxVisible"))
        self._showing = False

    _after_decimals = _after_singleStep = _after_prefix = _after_suffix = _after_spinBoxVisible = _show

    def setDecimals(self, decimals):
        """Set the number of decimals."""
        self.decimals = decimals

    def setSpinBoxVisible(self, visible):
        """Show or hide the spin box."""
        self.spinBoxVisible = visible

    def reset(self):
        """Back to zero, or to the nearest value that is allowed."""
        self._set_value(0.0)


@standin(QtWidgets.QWidget, maximum=99.0, maximumValue=99.0, singleStep=1.0, decimals=2, tracking=True)
class ctkRangeWidget:
    """Two numbers: the ends of a range."""

    def setRange(self, low, high):
        """Set the limits of the range."""
        self.minimum, self.maximum = float(low), float(high)

    def setValues(self, low, high):
        """Set both ends."""
        self.__dict__.setdefault("_values", {}).update(minimumValue=float(low), maximumValue=float(high))
        emit(self, "valuesChanged(double,double)", float(low), float(high))

    def _set_minimumValue(self, value):
        self.setValues(value, stored(self, "maximumValue"))

    def _set_maximumValue(self, value):
        self.setValues(stored(self, "minimumValue", "double"), value)

    def setMinimumValue(self, value):
        """Set the lower end."""
        self._set_minimumValue(value)

    def setMaximumValue(self, value):
        """Set the upper end."""
        self._set_maximumValue(value)
