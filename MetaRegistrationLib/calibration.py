"""Every threshold that decides something about images: its value, what it was measured on, and what measures it again.

The number of a threshold is written here and nowhere else. Sizes, tolerances against rounding and settings of the simulator
decide nothing, and stay where they are used.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace


@dataclass(frozen=True)
class Threshold:
    """One threshold.

    Attributes
    ----------
    value : float
    unit : str
        The unit of the value.
    measured_on : str
        On what images it was found, and what was found there.
    measured_again_by : str
        The program of `Testing/Benchmarks` that measures it again, or "none".
    """

    value: float
    unit: str
    measured_on: str
    measured_again_by: str


# preparation: tissue mask

DARK_LEVEL = Threshold(
    0.08,
    "share of the image's robust range",
    "Borders that devices draw, also noisy ones, lie below it. A dark valley of the tissue reaches up to it, so"
    " that DARK_SPREAD decides too.",
    "none",
)
DARK_DEVIATION = Threshold(
    0.03,
    "share of the image's robust range",
    "No measurement is recorded. It is the standard deviation over 5 x 5 pixels that the noise of a black border"
    " may have.",
    "none",
)
DARK_SPREAD = Threshold(
    0.03,
    "share of the image's robust range",
    "Black borders have one level everywhere. Dark valleys of the tissue spread over all levels up to DARK_LEVEL.",
    "none",
)
CONSTANT_DEVIATION = Threshold(
    0.001,
    "share of the image's robust range",
    "No measurement is recorded. A border of one grey value has no noise but rounding.",
    "none",
)
CONSTANT_SPREAD = Threshold(
    0.01,
    "share of the image's robust range",
    "No measurement is recorded. A border of one grey value has one level.",
    "none",
)
SMALLEST_BORDER = Threshold(
    0.003,
    "share of the image's pixels",
    "No measurement is recorded. Smaller dark regions at a corner are taken for tissue.",
    "none",
)
SMALLEST_TISSUE = Threshold(
    0.005,
    "share of the tissue's pixels",
    "Smaller islands are letters that a device wrote into the black.",
    "none",
)
SMALLEST_VIEW = Threshold(
    0.1,
    "share of the image's pixels",
    "No measurement is recorded. If less would remain, the border was guessed wrongly and the whole image is used.",
    "none",
)
SMALLEST_PART_OF_VIEW = Threshold(
    0.05,
    "of the image's longer side",
    "Fields of view are wider nearly everywhere. Bright cells or vessels on a black ground are not. A pair of microscopic"
    " sections was refused because its ground was taken for a border.",
    "none",
)
NO_DATA_MAGNITUDE = Threshold(
    1e9,
    "grey level",
    "NoData values such as -3.4e38 lie beyond it. Positive values below it may be grey levels.",
    "none",
)

# preparation: marks and drawn borders

MARK_EQUAL = Threshold(
    0.015,
    "share of the range",
    "Two images differ by less in a mark, even after JPEG compression.",
    "none",
)
MARK_CONSTANT = Threshold(
    0.04,
    "share of the range",
    "No measurement is recorded. The pixels of a mark lie so near to one value.",
    "none",
)
MARK_CONTRAST = Threshold(
    0.15,
    "share of the range",
    "No measurement is recorded. A mark differs by so much from its neighbourhood.",
    "none",
)
MARK_LEAST_PX = Threshold(
    24,
    "pixels",
    "No measurement is recorded. Fewer pixels of one value are no mark.",
    "none",
)
MARK_LENGTH = Threshold(
    0.08,
    "share of the image's side",
    "No measurement is recorded. It is the shortest line of a grid or a scale bar.",
    "none",
)
MARK_WIDEST = Threshold(
    0.02,
    "share of the image's side",
    "What is broader is tissue or border.",
    "none",
)
MARK_FULL = Threshold(
    0.95,
    "share of a line's rectangle",
    "A drawn line fills its rectangle. Vessels, also saturated ones, do not run so straight.",
    "none",
)
MARK_SIDE = Threshold(
    0.3,
    "share of the row beside a line",
    "A drawn line has straight sides. Vessels do not.",
    "none",
)
CIRCLE_FULL = Threshold(
    0.85,
    "share of a circle's length",
    "A drawn circle is covered nearly all along.",
    "none",
)
CIRCLE_RADIUS = Threshold(
    0.05,
    "of the image's longer side",
    "Smaller rounds are cells or the ends of vessels.",
    "none",
)
CIRCLE_STROKES = Threshold(
    3,
    "times the image's longer side, pixels",
    "One circle of a quarter of the side as its radius, two pixels wide, has so many.",
    "none",
)
CIRCLE_VOTES = Threshold(
    5.0,
    "standard deviations above the median of the votes",
    "5.8 and more normals of edges meet at the centre of a grid drawn into six images. In images without one it is 2 to 6.",
    "none",
)
DRAWN_BORDER = Threshold(
    0.7,
    "share of the outline",
    "Frames and masks drawn into scans had 0.86 and more along their least circle cut by their least rectangle."
    " Heads, brains and chests had at most 0.53.",
    "accuracy.py",
)

# preparation: network grids

SAME_ASPECT = Threshold(
    1.01,
    "ratio",
    "No measurement is recorded. Images without a pixel size whose aspects differ by less are taken to show the"
    " same field of view.",
    "none",
)
SAME_FIELD_OF_VIEW = Threshold(
    1.02,
    "ratio",
    "No measurement is recorded. Images whose extents in mm differ by less both fill their grids.",
    "none",
)

# formats

SMALLEST_SIDE = Threshold(
    16,
    "pixels",
    "No measurement is recorded. Smaller images are refused.",
    "none",
)
LEAST_FINITE = Threshold(
    0.1,
    "share of the image's pixels",
    "No measurement is recorded. If fewer are finite, the image is refused.",
    "none",
)
MOST_SHEAR = Threshold(
    0.01,
    "cosine of the angle between rows and columns",
    "No measurement is recorded. Distances that are measured along the axes are wrong by half of it at most.",
    "none",
)
CLEARER_CHANNEL = Threshold(
    1.1,
    "ratio of structure over noise",
    "The green channel of fundus photographs with a saturated red is clearer by more than this.",
    "none",
)
COLOUR_LEAST_PIXELS = Threshold(
    2500,
    "pixels",
    "No measurement is recorded. With fewer pixels of tissue, the clearer channel is not known.",
    "none",
)
COLOUR_LEAST_NOISE = Threshold(
    0.01,
    "share of the robust range",
    "No measurement is recorded. It is added to the noise, so that noise far below it does not matter.",
    "none",
)
DRAWING_COLOURED = Threshold(
    0.25,
    "share of the brightest value",
    "The channels of a coloured line differ by more.",
    "none",
)
DRAWING_GREY = Threshold(
    0.08,
    "share of the brightest value",
    "The channels of grey pixels differ by less, even after JPEG compression.",
    "none",
)
DRAWING_WIDEST = Threshold(
    0.035,
    "share of the image's side",
    "What is coloured and broader is no line: a map in colours. JPEG broadens lines of 3 pixels to 9.",
    "none",
)
DRAWING_MOST = Threshold(
    0.12,
    "share of the pixels that are not black",
    "No measurement is recorded. Coloured vessels or cells on a grey image are more. A grid of 3 pixels with letters, in"
    " 320 x 320 pixels, is 0.09.",
    "none",
)
DRAWING_GREY_SHARE = Threshold(
    0.95,
    "share of the pixels away from the drawing",
    "No measurement is recorded. An image that is coloured elsewhere too is no grey image.",
    "none",
)

# pairs

ASPECT_LIMIT = Threshold(
    2.0,
    "ratio",
    "No measurement is recorded. Images whose aspects differ by more are refused as a pair.",
    "none",
)
EXTENT_LIMIT = Threshold(
    4.0,
    "ratio",
    "No measurement is recorded. Images whose fields of view in mm differ by more are refused as a pair.",
    "none",
)
SCALE_CONTRADICTION = Threshold(
    0.03,
    "share",
    "34 pairs of repeat scans of one eye (`octa_scp_repeat_visits`), given equal pixel sizes: the median differs by 0.5 %,"
    " one pair by more than 3 % (4.3 %).",
    "none",
)
FIRST_CORNER = Threshold(
    0.05,
    "share of the image's sides",
    "No measurement is recorded. Landmarks that all lie in this corner were written in another unit than pixels.",
    "none",
)

# tasks and experiments

SLICE_CONTENT = Threshold(
    0.02,
    "share of the slice's pixels",
    "No measurement is recorded. Slices with less content are empty.",
    "none",
)
BRAIN_CONTENT = Threshold(
    0.25,
    "share of the slice's pixels",
    "No measurement is recorded. Slices of brains with less content are no test pair.",
    "none",
)
CONVERGED = Threshold(
    0.02,
    "share of the best value of the curve",
    "No measurement is recorded. A training has converged where its curve comes so near to its best value.",
    "none",
)
WORSE_PX = Threshold(
    1e-3,
    "pixels of the network grid",
    "Smaller differences of a distance are rounding.",
    "none",
)

# alignment: blocks

BLOCK_DEFINED = Threshold(
    0.35,
    "share of the block's pixels",
    "No measurement is recorded. Blocks of which both images show less are not matched.",
    "none",
)
BLOCK_AGREES = Threshold(
    0.0125,
    "share of the grid's side",
    "No measurement is recorded. A block that is found so near (5 px of 400) to where a transform puts it agrees"
    " with the transform.",
    "calibration.py",
)
SETTLED_LEAST_BLOCKS = Threshold(
    5,
    "blocks",
    "No measurement is recorded. Fewer blocks do not change a transform.",
    "calibration.py",
)
SETTLED_CHANGE = Threshold(
    0.00125,
    "half sides of the grid",
    "If the third pass moves no corner by 0.25 px of 400, the fourth moves none by more than 0.06 px (14 real repeats).",
    "calibration.py",
)
LEAST_OVERLAP = Threshold(
    0.2,
    "share of the smaller image",
    "No measurement is recorded. Shifts that leave less in common are not tried.",
    "calibration.py",
)

# alignment: confidence

LEAST_CONFIDENCE = Threshold(
    0.5,
    "confidence, 0 to 1",
    "None of 300 unrelated pairs reached it. Of 300 related pairs 297 did, and none of those was wrong. An"
    " alignment below it moves nothing, and the user gets a warning.",
    "calibration.py",
)
BY_CHANCE = Threshold(
    0.25,
    "share of the blocks",
    "Of unrelated images up to a quarter of the blocks agree.",
    "calibration.py",
)
FITTED_BLOCKS = Threshold(
    3,
    "blocks",
    "The fit itself makes three blocks agree.",
    "calibration.py",
)
HALF_CONFIDENT = Threshold(
    3.8,
    "standard deviations above chance",
    "It was fixed before the 300 related and 300 unrelated pairs of the benchmark were drawn. Without an initial alignment,"
    " final fields of 22 pairs of real repeat scans had 10.0 and more, and those of 22 pairs of unrelated eyes at most 1.7.",
    "calibration.py",
)
STEEPNESS = Threshold(
    1.5,
    "logits a standard deviation",
    "No measurement is recorded. It spreads the evidence of HALF_CONFIDENT over confidences from 0 to 1.",
    "calibration.py",
)
HALF_CONFIDENT_WHOLE = Threshold(
    4.4,
    "standard deviations above chance",
    "The whole range has twelve times as many places to agree by chance. With HALF_CONFIDENT for both ranges, one"
    " of 80 unrelated pairs was confident: CT against OCTA.",
    "calibration.py",
)
FEWEST_BLOCKS = Threshold(
    8,
    "blocks",
    "So few blocks agree anywhere.",
    "calibration.py",
)
USUAL_HEIGHT = Threshold(
    7.0,
    "standard deviations over all candidates",
    "No measurement is recorded. It is the height of a usual candidate in the search.",
    "calibration.py",
)
HEIGHT_WEIGHT = Threshold(
    0.25,
    "logits a standard deviation",
    "The height alone says little: the outlines of any two heads fit well.",
    "calibration.py",
)
COINCIDES = Threshold(
    8.0,
    "standard deviations",
    "Of pairs with nothing in common none is above 8. Below it, blocks that agree do not end the search.",
    "calibration.py",
)
COINCIDENCE_HALF_CONFIDENT = Threshold(
    13.0,
    "standard deviations",
    "Real repeats have 23 and more, pairs with nothing in common at most 8. Heads of different people reach 14.",
    "calibration.py",
)
OTHER_SHIFT_VALLEY = Threshold(
    0.55,
    "share of the best fit",
    "Layers fit along themselves nearly as well, without a valley. The fit between two periods of a texture is below half.",
    "repeating.py",
)
OTHER_SHIFT_MUCH_BETTER = Threshold(
    1.25,
    "share of the fit without a shift",
    "160 confident pairs of all kinds, and 22 crops of such pairs with a fifth to half of a side in common, have at most 1.00."
    " Honeycombs have at most 1.15, but for one that was aligned between its cells: 3.5.",
    "repeating.py",
)
OTHER_SHIFT_HALF_CONFIDENT = Threshold(
    0.62,
    "share of the best fit",
    "Honeycombs were aligned wrongly where another shift had 0.63 and more. Of 59 pairs of all kinds none has another"
    " shift above the valley.",
    "repeating.py",
)
OTHER_SHIFT_STEEPNESS = Threshold(
    30.0,
    "logits a unit of the share",
    "It spreads the shares around OTHER_SHIFT_HALF_CONFIDENT over confidences from 0 to 1.",
    "none",
)
PATTERN_SHARE = Threshold(
    0.2,
    "share of the blocks",
    "So many blocks are found within a pixel of 400 under noise at the same pixels, and in images that were aligned before."
    " One of 34 pairs of repeat scans has so many. Where there are fewer, the search is not led astray.",
    "fixed_patterns.py",
)
COARSE_HALF_CONFIDENT = Threshold(
    10.0,
    "standard deviations",
    "Of 39 images of ten kinds in two contrasts or under noise, aligned before, all but one (under much noise) have 12.4 and"
    " more. Pairs of two eyes with the same noise have at most 6.8, where its deviation is an eighth of the grey range.",
    "fixed_patterns.py",
)
SEARCH_ENDS = Threshold(
    0.99,
    "confidence, 0 to 1",
    "No measurement is recorded. A candidate above it ends the search.",
    "calibration.py",
)

# alignment: plausible transforms

MOST_ANISOTROPIC = Threshold(
    1.35,
    "ratio of stretches",
    "No measurement is recorded. An affine transform that stretches more along one axis than the other is"
    " replaced by a similarity.",
    "kinds.py",
)
IN_PLACE = Threshold(
    0.005,
    "half sides of the grid",
    "If as many blocks agree under the identity, a fit within one pixel of 400 adds nothing but its own error.",
    "kinds.py",
)
SAME_SCALE = Threshold(
    1.1,
    "ratio",
    "No measurement is recorded. A moving image of a more different scale gets a network grid of its own.",
    "none",
)
LEAST_LANDMARKS = Threshold(
    3,
    "pairs of landmarks",
    "Three pairs determine a similarity with one measurement to spare.",
    "none",
)
LANDMARKS_FOR_AFFINE = Threshold(
    6,
    "pairs of landmarks",
    "No measurement is recorded. Fewer pairs give a similarity.",
    "none",
)
LANDMARKS_IN_A_LINE = Threshold(
    0.08,
    "ratio of singular values",
    "No measurement is recorded. Narrower landmarks lie on a line.",
    "none",
)
HIDDEN_REACH = Threshold(
    0.02,
    "share of the grid's side",
    "The network's field brings tissue together so far (8 px of 400) beyond what both images show only where the"
    " alignment is off.",
    "accuracy.py",
)
HIDDEN_SHARE = Threshold(
    3e-4,
    "share of the grid's pixels",
    "Fifty pixels of 400 x 400 beyond HIDDEN_REACH say that continuing the images would hide tissue.",
    "accuracy.py",
)

# alignment: the curvature of an eye

BEND_LEAST_BLOCKS = Threshold(
    20,
    "blocks",
    "Six numbers an axis are to be determined.",
    "wide_fields.py",
)
BEND_LEAST_AGREEING = Threshold(
    36,
    "blocks of 64",
    "A wide field fills the network grid. Where fewer blocks agree, a quadratic term follows an elastic deformation, as"
    " on slices of brains.",
    "wide_fields.py",
)
BEND_LEAST_SHARE = Threshold(
    0.8,
    "share of the blocks that both images show",
    "Where fewer agree, a quadratic term follows an elastic deformation, as on serial sections.",
    "wide_fields.py",
)
BEND_GAIN = Threshold(
    0.6,
    "share of the affine transform's median offset",
    "No measurement is recorded. A quadratic term that leaves more of the blocks' offsets is not worth it.",
    "wide_fields.py",
)
LEAST_BEND = Threshold(
    0.01,
    "half sides of the grid",
    "Two pixels of 400 at the corners: less is below the precision of a match.",
    "wide_fields.py",
)
GREATEST_BEND = Threshold(
    0.25,
    "half sides of the grid",
    "Fifty pixels of 400 at the corners: no eye is bent more.",
    "wide_fields.py",
)
BEND_LEAST_DETERMINANT = Threshold(
    0.3,
    "ratio of areas",
    "No measurement is recorded. A quadratic term that shrinks areas by more comes near to folding.",
    "wide_fields.py",
)

# training: which recipe suits pairs

GRAINY = Threshold(
    0.9,
    "ratio of fine over coarse contrast",
    "OCTA had 1.0 to 1.25 and histology 1.2 to 1.3. Brains, hearts and breathing, and electron microscopy had"
    " 0.35 to 0.8.",
    "none",
)
ALIKE_CONTRASTS = Threshold(
    0.1,
    "mean cosine of all directions",
    "OCTA had 0.34 to 0.7, sections 0.85 and more, brains of different people 0.33 to 0.44, and stains 0.16 to"
    " 0.6. T1 and T2 had -0.07 to -0.02.",
    "none",
)
ADAPTATION_GAIN = Threshold(
    0.02,
    "share of the predicted error of the start",
    "No measurement is recorded. An epoch that is predicted to gain less is not better than the start.",
    "none",
)

# octa: larger vessels

VESSEL_CANDIDATE = Threshold(
    85,
    "percentile of the ridges",
    "No measurement is recorded. Connected ridges above it are candidates.",
    "none",
)
VESSEL_STRONG = Threshold(
    93,
    "percentile of the ridges",
    "No measurement is recorded. A candidate with a ridge above it is a vessel.",
    "none",
)
VESSEL_LEAST_AREA = Threshold(
    60,
    "pixels of an image of 320 x 320",
    "No measurement is recorded. Smaller candidates are no larger vessels.",
    "none",
)
BARE_TEXTURE = Threshold(
    0.1,
    "share of the 90th percentile of the texture between larger vessels, in the visit with most of it",
    "Chosen on 22 real repeat pairs (split fine_tune) with discs painted without vessels: with 0.1, 0.13, 0.17 and 0.2, the"
    " density of regions of which a half is painted falls by 43, 44, 46 and 46 % (median); the CoR is 9.4, 9.7, 10.6 and 11.8 %"
    " of the mean in the whole image, and 35, 38, 44 and 50 % in the centre. Without it, they are 17, 9.3 and 33 %.",
    "disc_losses.py",
)

# visits

CONSISTENCY_PX = Threshold(
    0.5,
    "pixels of the network grid (400 x 400)",
    "Ten simulated visits of each of three eyes had median round-trip errors of 0.28 to 0.41 px, at most 0.49. A"
    " visit most of whose errors are above it is inconsistent.",
    "none",
)
INCONSISTENT_PX = Threshold(
    2.0,
    "pixels of the network grid (400 x 400)",
    "A capillary is some 2 px wide there: beyond it, unlike vessels are averaged and compared. Coarse settings (no"
    " refinement) give 0.3 to 1.0 px on drawn visits. A visit most of whose round-trip errors are above it is excluded.",
    "none",
)
LEAST_SIGNAL_QUALITY = Threshold(
    3.0,
    "signal quality, 0 to 10",
    "Chosen on the split fine_tune: 44 scans of repeat pairs have 5.0 to 6.8, 294 other scans 4.9 and more. The same 44 scans are"
    " all below it with a blur of 1.5 or 2.5 px, noise of 60 of 255, or JPEG of quality 15. No real scan of the split test is"
    " below it. A visit below it is excluded if at least two others are left.",
    "visit_quality.py",
)
VESSEL_AGREEMENT = Threshold(
    0.4,
    "correlation of the larger vessels",
    "34 real repeat pairs have 0.69 to 0.93 after alignment, and at least 0.48 with the second scan blurred, noisy, dark in one"
    " half, thresholded, or without capillaries. 68 pairs of different eyes have at most 0.24 after registration. Visits below it"
    " are not comparable.",
    "none",
)
VESSELS_AROUND = Threshold(
    15,
    "pixels of 18.75 um around vessels that all visits show",
    "Chosen on 22 real repeat pairs (split fine_tune), with discs that cover 12 % of what both show painted without vessels. The"
    " CoR of the length of larger vessels changes by +36, +12, +1 and -7 % with 7, 12, 15 and 20, against levels of each image."
    " The area of larger vessels falls by 11, 10, 10 and 9 %; with levels of each image, by 3 %.",
    "disc_losses.py",
)
DARK_VESSELS = Threshold(
    0.95,
    "strength of bright lines over that of dark ones",
    "368 real superficial scans have 1.43 and more, 150 synthetic ones 1.46, and four deep slabs 1.08. Of 62 scans, all have"
    " 1.06 and more with noise of 40 levels, a blur of 2 pixels, one dark half, or three times as bright and saturated. An image"
    " of noise has 0.98 to 1.03. Inverted scans have the reciprocal values, drawn images with dark vessels 0.78 and less.",
    "none",
)
NONPERFUSED_DENSITY = Threshold(
    5.0,
    "percent, local density of capillaries in a window of 160 um",
    "The mean of real scans is 15.7 %. Capillaries were painted out of 25, 50 and 75 % of the frame in 11 real repeat pairs of"
    " the split fine_tune: the area came out at 0.76, 0.89 and 0.79 of the truth (median). 6 and 7 % change that by 0.02.",
    "repeatability.py",
)
UNLIKE_PIXELS = Threshold(
    1.1,
    "ratio of pixel sizes, by the alignment",
    "34 real repeat pairs of one pixel size have at most 1.06. Interpolated to 1.3 to 2 times the pixels a side, a scan has 1 to"
    " 2 points of capillary density more, which is over the coefficient of repeatability.",
    "none",
)
FAZ_AGREEMENT = Threshold(
    1.3,
    "ratio of two areas of the FAZ",
    "Two settings of the search differ by less in 30 of 34 real repeat pairs; where they differ by more, the zone is unclear. The"
    " same factor holds for centres one step apart.",
    "repeatability.py",
)
FAZ_CENTRE_MM = Threshold(
    0.01875,
    "mm, step between centres from which the FAZ is searched, at least one pixel",
    "Of 68 real scans, one has areas 0.22 and 0.36 mm2 from centres that are one step apart. With this step 3 more scans are not"
    " measured, 6 instead of 3, and no area changes by a factor over 1.3 when the centre moves by a pixel.",
    "repeatability.py",
)
FAZ_NEARLY = Threshold(
    0.03,
    "gain of an outline as a share of the range of grey values, mean over its angles",
    "Outlines of nearly the best gain are tried too. In 68 real scans, 3 have one elsewhere within 0.02 and 7 within 0.03; in one"
    " of these the best place changes by 0.4 mm when the centre moves by 19 um.",
    "none",
)
FAZ_LEAST_MM = Threshold(
    0.15,
    "mm, radius of the FAZ",
    "Noise-free discs with radii of 0.1, 0.12 and 0.15 mm come out with 0.118, 0.131 and 0.156 mm, and one of 0.05 mm"
    " with 0.105 mm. The smallest of 64 real zones has 0.22 mm.",
    "none",
)
FAZ_LEAST_PX = Threshold(
    4.0,
    "pixels",
    "No measurement is recorded. The smallest radius that is searched is 4.3 pixels of 18.75 um; a zone of fewer pixels has no"
    " outline, as with a pixel size in a wrong unit.",
    "none",
)
FAZ_CONTRAST = Threshold(
    0.03,
    "share of the range from the darkest to the 90th percentile",
    "64 zones of 34 real repeat pairs are darker than a band around them by 0.04 and more. In areas without vessels of 2.6 and"
    " 4 mm across, painted around the fovea, outlines of noise have at most 0.005.",
    "none",
)
FAZ_LEVEL = Threshold(
    0.18,
    "share of the range from the darkest to the 90th percentile within 2 mm",
    "99 of 100 of the 284 zones of 294 real scans have at most 0.15. The other limits alone find a zone around 580 of 882 random"
    " places at least 1.2 mm away from the fovea; 7 of these are as dark.",
    "none",
)
TORN_GAIN = Threshold(
    0.08,
    "difference of two correlations of a row",
    "9 of 34 real repeat pairs have torn rows. Three were looked at: vessels are cut there. None of 40 pairs of one texture under"
    " two noises has any.",
    "torn_scans.py",
)
TORN_LEAST = Threshold(
    0.3,
    "correlation of a row",
    "Bounds of strips of OCTA that moved by 14 to 25 px cover 95 % (with 0.4: 94 %). 3 of 31 pairs without tears are raised with"
    " both, whose errors are large.",
    "torn_scans.py",
)
TORN_CONTRAST = Threshold(
    0.3,
    "correlation of a row",
    "The median row correlates in its place by 0.57 and more in 34 real repeat pairs, by 0.62 and more in 57 other pairs of one"
    " contrast, by 0.17 to 0.6 in stains, by -0.40 to -0.33 in PD and T1, by -0.9 to -0.6 in T1 and T2.",
    "torn_scans.py",
)
TORN_DOUBTFUL = Threshold(
    0.7,
    "share of the usual correlation",
    "Rows below it are searched farther. With 0.85 the bounds of strips and doubled rows are the same, in more time.",
    "torn_scans.py",
)
TORN_FAR_GAIN = Threshold(
    0.4,
    "share of the correlation there",
    "Bounds of 28 to 56 px of doubled rows cover 93 % (0.6: 90 %).",
    "torn_scans.py",
)
TORN_FEWEST_FAR = Threshold(
    4,
    "rows",
    "Brains of different people have up to 3 neighbouring rows that agree far away by chance; strips have 5 and more.",
    "torn_scans.py",
)
TORN_BOUND = Threshold(
    1.6,
    "ratio",
    "The 95 % bound of a torn row, in sizes of its step: 94 to 99 % of the errors of real scans with drawn steps are below the"
    " bound then (80 to 86 % without this rule); for steps of 8 to 14 px 90 to 96 %.",
    "none",
)
ALTERNATE_ROWS = Threshold(
    0.25,
    "pixels of the image",
    "Every other row of 779 images of all kinds, and of the same under noise of one standard deviation, is at most 0.11 px"
    " beside its place. If every other row is shifted by a pixel, 1.0 px are found.",
    "uneven_rows.py",
)
UNEVEN_ROWS = Threshold(
    0.4,
    "pixels of the image",
    "The standard deviation of rows is at most 0.28 px in 779 images of all kinds, and 0.38 px under noise of one standard"
    " deviation. Of rows that are shifted with a deviation of 0.5 px it is 0.5 px.",
    "uneven_rows.py",
)
WIDE_CHANGE_LEVEL = Threshold(
    10.0,
    "percentage points of density, averaged over 560 um",
    "Of 34 pairs of repeat scans, also of unlike quality, none exceeds it on more than 3.8 mm2.",
    "none",
)
WIDE_CHANGE_REST = Threshold(
    5.0,
    "percentage points of density, averaged over 560 um",
    "Half of the level: a wide change reaches so far.",
    "none",
)
WIDE_CHANGE_MM2 = Threshold(
    4.0,
    "mm2",
    "Of repeat scans, also of unlike quality, none has a wide change of more than 3.8 mm2.",
    "none",
)
CHANGE_LEAST_KNOWN = Threshold(
    2000,
    "pixels",
    "No measurement is recorded. A change of fewer measurable pixels is refused.",
    "visits_change.py",
)
SHADOW = Threshold(
    0.5,
    "share of the other visit's darkest level",
    "Drop-outs are about as dark as the fovea. What is much darker has no signal.",
    "local_change_fit.py",
)
SHADOW_DIMS = Threshold(
    0.45,
    "logarithm of a ratio of brightness",
    "Larger vessels that are dimmer than those of the other visit by more, beyond the whole image, are in a shadow."
    " Between 22 real repeat scans it is less in 95 % of the area.",
    "local_change_fit.py",
)
SAME_NOISE = Threshold(
    0.8,
    "correlation of the noise of single pixels",
    "Copies of three real scans that were brightened, cropped, enlarged by 1.2 or 2, or stored as JPEG had 0.85 and more."
    " Their repeat scans had at most 0.22, and drawn ones with little noise 0.75.",
    "none",
)
RESAMPLED_NOISE = Threshold(
    0.55,
    "correlation of the noise of single pixels",
    "Two real scans, rotated by 1 or 4 degrees or shifted by parts of a pixel, kept 0.60 and more of their own noise. 34 real"
    " repeat pairs had at most 0.03, and drawn ones with little noise 0.51. RESAMPLED_STRUCTURE decides too.",
    "none",
)
RESAMPLED_STRUCTURE = Threshold(
    0.97,
    "correlation of structures of 1 to 2 pixels",
    "The same two scans, rotated or shifted, had 0.986 and more. 34 real repeat pairs had at most 0.80, and drawn ones with"
    " little noise 0.98.",
    "none",
)
SAME_FIELD = Threshold(
    1.2,
    "ratio of widths",
    "Real repeat scans of one field of view differ by up to 7 percent. Fields of view that devices offer, such as 3, 4.5,"
    " 6, 8 and 9 mm, differ by 12 percent and more, most of them by 33 percent.",
    "none",
)
LEAST_SHARED_FIELD = Threshold(
    0.5,
    "share of the reference's frame",
    "No measurement is recorded. A visit that shows less of the reference's frame is of another region. Real repeat scans"
    " shared 0.8 and more.",
    "none",
)
NO_SIGNAL_PART_LEVEL = Threshold(
    0.3,
    "share of the image's median level",
    "Bands of 4 to 40 rows over 30 to 100 percent of a row, at 6 +- 3 of 255, were drawn into 16 real scans: 94 percent of"
    " those over half of a row and more were found. Of discs, sectors and halves of 31 real scans without vessels, none was"
    " taken for one.",
    "none",
)
NO_SIGNAL_WHOLE_LEVEL = Threshold(
    0.6,
    "share of the image's median level",
    "Bands over whole rows at 20 +- 8 of 255, drawn into 16 real scans, were found in 94 percent.",
    "none",
)
NO_SIGNAL_FILLED = Threshold(
    0.93,
    "share of the band's rectangle",
    "No measurement is recorded. A band fills its rectangle; a round zone without vessels fills at most 0.87 of it.",
    "none",
)
NO_SIGNAL_STEP = Threshold(
    0.35,
    "share of the image's median level",
    "No measurement is recorded. The signal comes back at once beside a band.",
    "none",
)
MOTION_LINE = Threshold(
    10.0,
    "robust standard deviations",
    "No measurement is recorded. Rows that stand out by more of those beside them are motion lines.",
    "visits_change.py",
)
MOTION_LINE_CONTRAST = Threshold(
    0.3,
    "standard deviations of the image",
    "No measurement is recorded. Rows that stand out by less are no motion lines.",
    "visits_change.py",
)
MOTION_LINE_WIDTH = Threshold(
    4,
    "rows",
    "No measurement is recorded. What is wider is a step of brightness.",
    "visits_change.py",
)
LEAST_AREA = Threshold(
    0.3,
    "area of a pixel after over before",
    "No measurement is recorded. Where a field shrinks pixels by more, a change is not measurable.",
    "visits_change.py",
)
GREATEST_AREA = Threshold(
    3.0,
    "area of a pixel after over before",
    "No measurement is recorded. Where a field enlarges pixels by more, a change is not measurable.",
    "visits_change.py",
)
TRIMMED_FROM = Threshold(
    4,
    "visits",
    "No measurement is recorded. Where so many visits show a pixel, their average leaves out the lowest and the"
    " highest value.",
    "visits_average.py",
)

# registration: the predicted error

UNCERTAIN_PX = Threshold(
    2.0,
    "pixels of the network grid (400 x 400)",
    "A capillary is some 2 px wide there. Where the predicted 95 % bound is larger, what is measured may be of another vessel.",
    "none",
)

LOST_PX = Threshold(
    10.0,
    "pixels of the network grid (400 x 400)",
    "Positions with a larger error show another part of the tissue.",
    "calibration.py",
)

LITTLE_LEFT_PX = Threshold(
    1.0,
    "pixels of the network grid (400 x 400)",
    "Below it one network is enough. Real repeats of OCTA are at 0.4 to 0.8, and fields of several networks between visits of one"
    " eye agree less with one another than those of one. Strongly deformed repeats and brains of different people are above it.",
    "error_maps.py",
)
MOVE_GAIN = Threshold(
    0.2,
    "share of the least predicted error",
    "Images that a field moves by less than 2 px stay as they are unless it is predicted to be better by more. A proton density"
    " and a T1 image of one aligned brain differ by 0.13; on other sets no unmoved pair is within 0.2 of its best field.",
    "error_maps.py",
)
OPINION_HALF_CONFIDENT = Threshold(
    0.6,
    "predicted share of positions with an error below 2 px",
    "Of 24 strongly deformed repeats 23 had 0.73 and more under a network's field, one 0.35. Of 16 pairs of unrelated images the"
    " best field had at most 0.32, in 14 pairs at most 0.04.",
    "calibration.py",
)
OPINION_STEEPNESS = Threshold(
    20.0,
    "logits a unit of the share",
    "It spreads the shares around OPINION_HALF_CONFIDENT over confidences from 0 to 1.",
    "none",
)

SMALL_OVERLAP = Threshold(
    0.6,
    "share of the smaller image",
    "If less is in common, most positions have to be certain to 2 px. 44 right results with little in common have a share of 0.90"
    " and more of such positions, two wrong ones at most 0.52. Other kinds that are hard to align have 0.85 or more in common.",
    "calibration.py",
)
LEAST_JUDGED_OVERLAP = Threshold(
    0.17,
    "share of the smaller image",
    "No result with less in common is confident. The search tries shifts down to 0.2 (LEAST_OVERLAP), and a transform can drift"
    " from there when it is refined. Two scans of different eyes had 0.12 in common, on which one large vessel of each agreed"
    " (confidence 0.99). 56 right results of pairs with 0.22 to 0.6 in common have 0.23 and more.",
    "calibration.py",
)

# training: thresholds that depend on the network

SMOOTH_BELOW = Threshold(
    0.014,
    "mean squared gradient of the starting network's field",
    "Networks trained on like contrasts gave 0.007 to 0.011 for aligned repeat scans of OCTA and 0.004 for serial"
    " sections under the electron microscope. They gave 0.012 to 0.05 for histology, and 0.018 to 0.06 for brains"
    " of different people and breathing.",
    "none",
)
SMOOTH_BELOW_ANY_CONTRAST = Threshold(
    0.005,
    "mean squared gradient of the starting network's field",
    "A network trained on unlike contrasts gives smoother fields. It gave 0.003 to 0.005 for aligned repeat scans"
    " of OCTA and 0.002 for serial sections. It gave 0.005 to 0.012 for histology, brains of different people and"
    " breathing.",
    "none",
)


@dataclass(frozen=True)
class NetworkCalibration:
    """The thresholds that depend on the network. A checkpoint may carry its own values.

    Attributes
    ----------
    smooth_below : float
        Roughness of the network's field from which on much is left to deform.
    """

    smooth_below: float


_FORMER = ("network_gain", "network_agreement", "contrast_gain", "half_confident", "steepness")
"""Names that checkpoints of earlier versions may carry. The predicted error decides in their place."""


def network_calibration(*, any_contrast: bool, own: Mapping[str, float] | None = None) -> NetworkCalibration:
    """The thresholds of a network.

    Parameters
    ----------
    any_contrast : bool
        Whether it was trained on pairs of unlike contrast.
    own : mapping of str to float, optional
        Values of its checkpoint, which come before the defaults.

    Raises
    ------
    ValueError
        `own` has an unknown name, or a value that is no number.
    """
    smooth_below = SMOOTH_BELOW_ANY_CONTRAST if any_contrast else SMOOTH_BELOW
    found = NetworkCalibration(smooth_below.value)
    known = {field.name for field in fields(NetworkCalibration)}
    for name, value in (own or {}).items():
        if name not in {*known, *_FORMER} or type(value) not in (int, float) or math.isnan(value):
            raise ValueError(
                f"calibration: expected numbers for some of {', '.join(sorted(known))}, got {name}: {value!r}"
            )
    return replace(found, **{name: value for name, value in (own or {}).items() if name in known})
