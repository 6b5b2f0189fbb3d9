<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1">
<context>
    <name>MetaRegistration</name>
    <message>
        <source>What is missing before this module can compute.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Install PyTorch</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Install PyTorch by the means of the PyTorch extension, which chooses the build for this computer. You can go on working, and cancel while it is downloaded.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Share of the present file that is downloaded.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The button that is the next step, and its keys. The button itself is highlighted.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Pairs</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Choose a folder of image pairs and load one, or choose two volumes that are loaded.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Folder:</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>MetaRegistration/PairsFolder</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Folder of image pairs: a pairs.csv, subfolders moving and fixed, names that end in _moving and _fixed, or one subfolder per pair.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Choose folder...</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Choose a folder of image pairs.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The pairs found. Click a row to load that pair and show it side by side and overlaid.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>pair</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Name of the pair. The loaded pair is marked.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>size</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Columns × rows, in pixels; of both images, if they differ.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>pixel size</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Distance between pixels and size of the image; of both images, if they differ.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>landmarks</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Number of landmarks of the pair.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>split</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>What the pair is for: fine_tune or test. Only the table pairs.csv says so.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Files that are not used, each with the reason.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Load first pair</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Load the first pair of the folder and show it.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>How many pairs were found, or why there are none.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Moving volume:</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>vtkMRMLScalarVolumeNode</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The image that is warped.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Moving slice:</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Slice of the moving volume that is registered, counted from 0.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Fixed volume:</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The image that stays in place.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Fixed slice:</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Slice of the fixed volume that is registered, counted from 0.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Pixel spacing:</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source> µm</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>From file</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Distance between pixels in micrometres, for files without a pixel size (PNG, BMP, JPEG). 0: from file.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Fine-tune (optional)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Fine-tune a checkpoint on the pairs of the folder. Without it, Register uses the chosen checkpoint as it is.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Checkpoint:</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The network to fine-tune and to register with: shipped, adapted earlier, or from a file. The list says which images each is for.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>From file...</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Choose a checkpoint file (.pt) of this program.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Open folder</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Open the folder of your adapted checkpoints.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Delete</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Delete the chosen adapted checkpoint from your folder.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Preset:</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>How long to train.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Epochs:</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>How many times every pair is shown to the network.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Name:</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Name of the adapted checkpoint in your own folder.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Time:</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Estimated from earlier runs on this computer, if there were any.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Fine-tune</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Fine-tune the checkpoint on the pairs of the folder.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>What is missing before the fine-tuning can start.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Progress of the training, and the time left.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>State of the training, or how it ended.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Register</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Register the moving to the fixed volume, and look at the result.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Register the moving to the fixed volume.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Undo</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Undo the last registration.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>What is missing before the volumes can be registered.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>State of the registration, or how it ended.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>What to check before you use the result: an initial alignment that is not confident or differs from the one the checkpoint was adapted with, or a volume that has changed since.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Similarity: normalised cross-correlation (NCC) of the two images before and after; 1 is a perfect match. Folding: share of the image where the transform turns over, which tissue cannot do. Last, the initial alignment that was used.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Predicted from the images: the mean error of the registration where both images show tissue, the error that 95 % of these pixels stay below, and the share of them with a larger error than 2 grid px, which is too uncertain to measure. A grid px is a pixel of the network grid (400 x 400).</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The saved results of this pair with different stages or checkpoints, the latest first, with their measures and the mean landmark distance. A grid px is a pixel of the network grid (400 x 400). Click a row to show that result.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Moving</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Show the moving image.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Fixed</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Show the fixed image.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Overlay</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Show the moving image in magenta over the fixed image in green: white where both agree.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Flicker</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Show the moving and the fixed image alternately.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>How the overlay compares both images. Blend: moving in magenta and fixed in green, white where they agree. Swipe: moving to the left of a line, fixed to its right. Checkerboard: tiles of both; the upper left one is of the moving image. Blink: one image at a time; the slider, or an arrow key on it, switches. Brightness is evened out for display only: the volumes stay as they are.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>0 shows the fixed image, 1 the moving image, values between show both. For a checkerboard: the number of tiles.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Show tissue mask</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Outline the tissue mask of the fixed image in the overlay. Pixels outside the line are ignored.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Show landmarks</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Show the landmarks in the views: moving points in the view of the moving image, fixed points in the others.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Show expected error</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Show the predicted error of the registration, translucent over the images: dark blue is 0, yellow is 5 grid px or more. No colour: it is unknown, because only one image shows tissue. It is a volume of the scene, in grid px. Uncheck it to see the views as before.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Other volumes of this visit</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Apply the transform of this registration to further volumes of the same visit as the moving one.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Volumes:</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Further volumes of the same visit as the moving one, for example other slabs.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Apply the transform</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Apply the transform of this registration to the checked volumes.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Volumes that the transform was applied to.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Advanced</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Device, outputs, pixel spacing of the moving image, stages and masks. The defaults suit most scans.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Device:</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Where to compute: a graphics card or the processor.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Moving pixel spacing:</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Same as fixed</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Distance between pixels of the moving images, if it differs from that of the fixed images (a 3 mm and a 6 mm scan). It overrides the files. 0: same as fixed.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Override spacing in files</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Use the pixel spacing given here also for images whose files state another one.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Transform:</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>vtkMRMLGridTransformNode</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Registration</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Output: the transform, which is applied to the moving volume and its landmarks. Optional if there is a warped volume; with neither, a new transform is made.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Warped volume:</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Warped</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Output: the moving image on the fixed image's grid. Optional.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Stages</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The stages of a registration, in order. Each can be switched off. The default stages suit most scans.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Initial alignment:</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Aligns the whole images before any local deformation. Affine: translation, rotation, scale and shear. Rigid: translation and rotation. None: only for images that are already aligned. Fine-tuning aligns its pairs in the same way.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Network:</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Use network</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The network of the checkpoint corrects local distortions, for example where the eye moved during the scan. Without the network, no checkpoint is needed.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Refinement steps:</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>off</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Optimises the result on this pair in small steps, for the last half pixel. It stops when it no longer improves. More steps may take longer. 0: no refinement.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Masks</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Pixels outside the tissue, such as black frames and round masks, are found automatically. If that fails, choose masks of your own.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Moving mask:</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>vtkMRMLLabelMapVolumeNode</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>vtkMRMLSegmentationNode</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Automatic</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Tissue mask of the moving image: a label map of its size, not zero in tissue, or a segmentation, whose visible segments are used. Pixels outside the mask are ignored.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Fixed mask:</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Tissue mask of the fixed image: a label map of its size, not zero in tissue, or a segmentation, whose visible segments are used. Pixels outside the mask are ignored.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Measure</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Mark landmarks in both images and measure their distance before and after the registration.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Moving points:</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>vtkMRMLMarkupsFiducialNode</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Moving points</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Landmarks of the moving image.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Fixed points:</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Fixed points</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The same landmarks in the fixed image.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Place landmark pairs</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Place a landmark in the moving image, then the same one in the fixed image, and repeat.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The view that expects the next click.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Suggest bifurcations</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Suggest vessel bifurcations of the moving image as landmarks. After a registration, their positions in the fixed image are predicted too.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Accept</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Add the suggested points to the point lists. First delete those that you do not want.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Discard</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Remove the suggested points.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Copy landmarks to fixed image</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Add the moving landmarks, mapped by the transform, to the scene as points of the fixed image.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Load...</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Load landmarks: .mrk.json, .fcsv or CSV, one file for both images or one for each.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Save...</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Save the landmarks: CSV for both images in one file, .mrk.json or .fcsv with one file for each.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Export table...</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Write the table of distances as CSV.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Last action on the landmarks.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Load next pair</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Load the next pair of the folder and show it.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Distance of each moving landmark from its fixed counterpart, before and after the registration. A grid px is a pixel of the network grid (400 x 400), as in the paper.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>label</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Name of the landmark. Uncertain: the expected error of the registration is too large here.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>before, grid px</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Distance before the registration, in pixels of the network grid (400 x 400): the whole moving image on the whole fixed one, wherever the volumes are in the scene.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>after, grid px</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Distance after the registration, in pixels of the network grid (400 x 400).</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>before, µm</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Distance before the registration, in micrometres: the whole moving image on the whole fixed one, wherever the volumes are in the scene.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>after, µm</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Distance after the registration, in micrometres.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>How far the landmarks are apart where the volumes are in the scene.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Visits</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Register all visits of an eye, and map what changed. For research use.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Folder of visits:</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>MetaRegistration/VisitsFolder</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Folder with the visits of one eye as images, with one subfolder per eye, or with a visits.csv (image; optional: eye, visit, date, landmarks, mask).</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Eye:</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Eye of the folder to register.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>or volumes:</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Loaded volumes that are visits of one eye. While any is checked, the folder is ignored.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Distance between pixels in micrometres, for images of the folder without a pixel size. Without it, the circles of the grid are not 1, 3 and 6 mm.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Reference:</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The visit that stays in place. All others are registered to it.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Dates:</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>How dates such as 04.03.2021 are read. It is needed where day and month cannot be distinguished.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The visits. Click the row of a registered visit to show it. A visit px is a pixel of the visit itself.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>visit</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>date</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>quality</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>overlap</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>NCC</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>points, visit px</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>note</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>How the table differs from the visits that are chosen, or from the scene.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Regions and axial length</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Optional, for the measures of the next registration: regions of your own, and the axial length of the eye.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Own regions:</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>None</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Regions of your own in which all visits are measured: a segmentation, each visible segment a region, or a label map. Draw them on the registered visits, or on the volume of one visit.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Axial length:</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source> mm</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Not given</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Axial length of the eye. Areas, lengths and circles of the measures are scaled by it (Littmann-Bennett). Leave it out if the device corrects its pixel size for the eye already.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Device assumes:</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Axial length that the device assumed for its pixel size, such as 23.95 mm (AngioVue) or 24.46 mm (Cirrus). It is used only with an axial length.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Results folder:</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>MetaRegistration/VisitsResultsFolder</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Folder for the aligned visits, transforms, average, tables and report. It must differ from the folder of the visits.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Register all</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Register all visits to the reference, check and average them.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>What is missing before the visits can be registered.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Visit that is being registered.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>State of the registration of visits, or how it ended.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Show</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Show the visits beside their average, with the change overlaid.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Play</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Show the aligned visits one after the other, as Sequences does.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Landmarks</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Place landmarks in the visit of the chosen row.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Use all the same</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Register again, and use the visit of the selected row in spite of what was found.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Change from:</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The earlier of the two visits that are compared.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>to:</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The later of the two visits that are compared.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Side:</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Side of the eye. It decides which regions are nasal and which are temporal.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Map the change</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Map what changed between the two visits.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>What is missing before a change can be mapped.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>What the map can and cannot show.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The change by region of the ETDRS grid around the point in the views: mean difference of the capillary density in percentage points, and the percentages of the measurable pixels in clusters where it decreased or increased.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Region</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Area</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Mean difference (points)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Decreased (%)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Increased (%)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Changed (%)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Not measurable (%)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Save report...</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Write one page with the visits, film, average and change.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>State of the change map or of the report.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Measures</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Changes of the measures, charts over time, and the foveal avascular zone (FAZ) of the shown visit. For research use.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>What was changed after the visits were measured.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Changes of the main measures from the first to each later visit. Detectable: the smallest change that repeat scans let be detected. All measures are in the tables of the scene.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Earlier</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Later</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Difference</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Detectable</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Verdict</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Chart of:</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Measure to draw over the dates of the visits.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Show chart</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Draw the measure of the whole image over the dates of the visits.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The FAZ of the shown visit. Drag the points of its curve in the views to correct it; it is measured again.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Draw FAZ</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Draw the FAZ of the shown visit by clicks in the views, or add points.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Keep FAZ</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Keep the corrected FAZ in a table, and in faz_corrected.csv beside the results.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>State of charts and of the FAZ.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Whole folder</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Register all pairs of the folder and write the results into another folder.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>MetaRegistration/ResultsFolder</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Folder for the results of the whole folder.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Register the whole folder</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Register every pair of the folder and write the same files as the command line: images, transform, landmarks, overlay and tables.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>What is missing before the folder can be registered.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Number of pairs done.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>State of the registration of the folder, or how it ended.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Copy report</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Copy versions, device, settings, messages and the log of the last run to the clipboard, for a question in the forum. Names of images and folders are omitted.</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>MetaRegistration.MetaRegistration</name>
    <message>
        <source>Meta-Registration</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Registers pairs of 2D images, such as OCTA scans of two visits, with a meta-learned network that is fine-tuned on your own pairs; no landmarks are needed for that.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The landmark distances are measured as in the paper that README.md cites.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The MetaRegistration authors (see CITATION.cff)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>User guide</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>PyTorch is not installed: open the module and press Install PyTorch, then test again.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Landmarks {before:.2f} px apart before, {after:.2f} px after</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>MetaRegistrationLib.errors</name>
    <message>
        <source>Close other programs or choose another {field}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Close other programs.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The same run with {field} continues from there.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Check the file's rights or choose another one.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Raise the limit for the size of files.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Free some space.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Choose another {field}, or delete that folder to simulate them anew.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Add them, or choose another {field}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Choose another {field}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Give the same ones, choose another {field}, or delete that folder to make the row anew.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Correct it or its unit, or leave it out.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Wait for its end, or choose another {field}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Name one with {field} N.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Use {field} N with one of these.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Move it away, choose another {field}, or replace the other earlier results.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Choose another {field}, such as a new folder within it.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Move it away, or choose another {field}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Choose another {field}, such as a new folder.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Move it back, or choose another {field}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Correct the pixel size ({field}), or give the landmarks as CSV, in pixels.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Give the pixel size that they were marked with ({field}), or give the landmarks as CSV, in pixels.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Choose the slice of the landmarks with {field}, or mark them on the chosen one, or give them as CSV, in pixels.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Name one with {field}, or leave the network out.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Say where the data is by {field} or META_REGISTRATION_DATA.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Give fewer {field}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Use {field} cpu.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Choose another one.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Say auto, cuda or cpu.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Start as many (torchrun's nproc_per_node) as there are GPUs, or use {field} cpu.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Continue it with {field}, or choose another folder.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Name one with {field}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Give it as {field} instead.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Put it back, or choose another {field}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Give the same ones, or another {field}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Continue with {field}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Check the images, or start again with a smaller {field}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Free some space and continue with {field}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Correct it, or leave it out.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Name two visits.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Say which with {field}, or write the date as 2021-03-04.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>If it was drawn on a visit all the same, say on which with {field}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Say on which visit they are drawn with {field}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Correct the {field} or its unit, or use a coarser image.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Correct the {field} or its unit, or leave it out.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Start another one, and continue with {field}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Continue with {field}, which makes them again.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Make the folder writable and continue with {field}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Raise the limit for the size of files and continue with {field}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Save it as a checkpoint, or use one process.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Put it into a module (a file .py) of its own, or use one process.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Name the earlier visit first.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Give the side of each in a column side of the table, or in its name (OD, OS).</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Give the centre of each in the columns centre_x and centre_y of the table.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Give the axial length of each in the column axial_length_mm of the table.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Register this eye alone.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Name the label map, or leave it out.</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>jobs.sentences</name>
    <message>
        <source>Cancelled before anything was written.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>start again</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Done.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The computation ended without a result, with exit code {code} ({line}). See the log.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Done. The result is in {path}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Cancelled. The training so far is saved. {resume} continues from there ({path}).</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Cancelled at pair {index} of {total}. The results of the earlier pairs are saved.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The Python package {name} is missing: install it and start again.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>start again with {resume} to continue from the last save</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The memory ran out: close other programs or choose another {device}, then {again}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The computation crashed or was ended from outside ({how}), often because the memory ran out: close other programs, then {again}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Unexpected error ({error}). Report it with the log.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>it wrote nothing</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>panel.adapt_choices</name>
    <message>
        <source>The checkpoint of this scene is not there, and another one is chosen: {path}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Choose a checkpoint</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>All files (*)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Checkpoints (*.pt)</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>panel.adapt_logic</name>
    <message>
        <source>Name</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Done. The adapted checkpoint {name} is saved and selected for registration.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{name} (unfinished)</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>panel.adapt_section</name>
    <message>
        <source>Fine-tune the checkpoint on the pairs of the folder.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Stop within two seconds. The training so far is saved.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Resume</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Fine-tune</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>known once a folder is chosen</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Cancelling ...</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>a folder with image pairs</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>a checkpoint</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>a name for the adapted checkpoint</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The pairs are not aligned first, as set under Advanced / Stages.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Stopping and saving the training so far ...</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Delete the adapted checkpoint {name}?</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Delete checkpoint</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>About {time}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The pairs are aligned first, as set under Advanced / Stages ({kind}). The network learns what it will see there.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Fine-tuning {name}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Deleted {name}.</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>panel.advanced_section</name>
    <message>
        <source>Advanced</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>pixel spacing</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Advanced: {list}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>masks {list}</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>panel.checkpoint_texts</name>
    <message>
        <source>Adapted earlier, for images like those it was adapted on.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{name} (shipped)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Adapted earlier on {count} pairs, for images like those.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Any images, meta-learned</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>For OCTA and any other images, also of two contrasts. The best start for fine-tuning.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Superficial OCTA, adapted</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Adapted to en-face OCTA images of the superficial layers.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Like contrast, meta-learned</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Meta-learned on pairs of like contrast only. For comparisons.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Like contrast, pretrained only</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The network for pairs of like contrast before meta-learning. For comparisons.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>VoxelMorph of the paper</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The network of the paper, meta-learned. For comparisons with the paper.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>VoxelMorph of the paper, pretrained only</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The network of the paper before meta-learning. For comparisons.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The file {path}.</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>panel.compare_choice</name>
    <message>
        <source>Blend</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Swipe</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Checkerboard</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Blink</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>panel.dependency_logic</name>
    <message>
        <source>PyTorch (install it at the top of this panel)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>PyTorch could not be installed ({error}): check the network connection and click again.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>PyTorch was not installed, because the installation was declined.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The PyTorch extension of Slicer is missing: install it with View / Extensions Manager, restart Slicer, and click again.</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>panel.dependency_section</name>
    <message>
        <source>PyTorch is missing. It is the library that runs the networks of this module: fine-tuning, registration and visits need it. Without it, pairs can be viewed and landmarks measured. The download has about 0.2 GB, on a computer with an NVIDIA GPU up to 3 GB; on the disk it takes about three times as much.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Install PyTorch</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>panel.devices</name>
    <message>
        <source>CPU (slow)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Apple GPU</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>panel.distance_display</name>
    <message>
        <source>Too uncertain to measure: no error is predicted here, because only one image shows this position.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Write the table of distances as CSV.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>mean</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>standard deviation</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Before: the whole moving image on the whole fixed one. Where the volumes are in the scene, without the registration, the landmarks are {distance:.1f} µm apart on average.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Too uncertain to measure: the predicted error of the registration here has a 95 % bound of {bound:.1f} {unit}, over {limit:g} {unit}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>a table with landmarks</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{label} (uncertain)</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>panel.earlier_results</name>
    <message>
        <source>Nothing was started, and the earlier results are unchanged. Choose another folder for the results.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Replace the earlier results? Only files that an earlier run wrote are removed or replaced.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Replace results</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>panel.folder_section</name>
    <message>
        <source>Register the whole folder</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Stop within two seconds. The results so far are saved.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Register every pair of the folder and write the same files as the command line.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Cancelling ...</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Starting ...</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Registering the folder ...</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>a folder with image pairs</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{index} of {total}: {name}</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>panel.job_warnings</name>
    <message>
        <source>Check this before you use the results:</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>and {count} more</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>panel.landmark_errors</name>
    <message>
        <source>The same list is chosen as moving and as fixed points. Choose two lists.</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>panel.landmark_files</name>
    <message>
        <source>{count} landmark files were chosen: choose one or two.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The names of {first} and {second} do not show which image they belong to. Load them one after the other, the moving image's first, or let the names begin with those of the images.</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>panel.landmarks_logic</name>
    <message>
        <source>Not loaded.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{moving} to {fixed}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{name} points</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>There is no registration of these two volumes yet: register them first.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>There are no moving landmarks: place or load some first.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{name} carried</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Loaded {moving} moving and {fixed} fixed landmarks.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>There are no landmarks to save: place or load some first.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{moving} to {fixed} distances</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{name} suggested points</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>No vessel bifurcation was found in {name}: place landmarks by hand.</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>panel.landmarks_section</name>
    <message>
        <source>The files replace {points}. This cannot be undone. Replace them?</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Place a landmark in the moving image, then the same one in the fixed image, and repeat.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Suggest vessel bifurcations of the moving image as landmarks.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Load .mrk.json, .fcsv or CSV: one file for both images or one for each. The points of a file replace those of its list.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Save as CSV, .mrk.json or .fcsv.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Add the moving landmarks, mapped by the transform, to the scene as points of the fixed image.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Add the suggested points to the point lists.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Remove the suggested points.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Load landmarks</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Replace landmarks</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Save landmarks</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>CSV (*.csv);;Markups (*.mrk.json);;Fiducial CSV (*.fcsv)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Export the table</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>a moving and a fixed volume</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>moving points</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>suggestions</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{count} bifurcations are suggested. Delete those that you do not want, then accept the others.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Fixed positions are predictions. Correct each one by eye before measuring accuracy.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Not saved.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The copied landmarks are in the point list {name}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{count} suggestions were accepted.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Landmarks {patterns}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{count} points of {name}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source> and </source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Saved {files}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Exported {file}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{count} of them are where the transform folds. Check them.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>a registration</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>panel.masking</name>
    <message>
        <source>automatic</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>chosen for moving</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>chosen for fixed</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>chosen for moving and fixed</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{mask}: a mask of {expected} pixels was expected, as the volume {volume} has, but it has {found}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{mask}: none of its segments is visible, and the mask is what the visible ones cover. Show segments in the Segmentations module, or choose another mask or none.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{mask}: it holds no mask for {volume}. Choose another one, or none.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{mask}: the mask is empty. Tissue is where a mask is not zero.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{mask}: its pixels are not where those of {volume} are. Correct its position in the Volumes or Transforms module, or convert it to a segmentation, which may have other pixels.</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>panel.masks_section</name>
    <message>
        <source>Masks: {list}</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>panel.measure_texts</name>
    <message>
        <source>similarity (NCC)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>folding</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>no folding</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>grid px</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>panel.next_step</name>
    <message>
        <source>Next step: {button} ({shortcut})</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Next step: {button}</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>panel.output_path</name>
    <message>
        <source>a folder for the results</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>a folder for the results by its whole path ({path} is none)</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>panel.pairs_logic</name>
    <message>
        <source>unknown</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{folder}: none of its {count} pairs can be used. The first reason: {reason}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{name} moving</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{name} fixed</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{name} moving mask</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{name} fixed mask</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{name} moving points</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{name} fixed points</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>panel.pairs_section</name>
    <message>
        <source>Choose a folder of image pairs, or two loaded volumes below.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Choose a folder of image pairs.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{count} pairs. Load the first one, or click on a row.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Loaded {name}. Continue with Register.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Reading {folder} ...</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{count} left out, for the reasons listed.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Read {} of {} pairs ...</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>panel.panel</name>
    <message>
        <source>These values of the scene cannot be read, and the defaults are used instead: {values}.</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>panel.placing</name>
    <message>
        <source>The partner of the deleted point stays: the number of points of {name} is locked.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>moving image</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>fixed image</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Next click: {side}, view {views}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Next click: {side}; it is in no view now.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>It becomes the partner of {label} in {name}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source> or </source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>the point without a label</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>panel.presets</name>
    <message>
        <source>Quick (10 epochs)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Thorough (600 epochs)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Full, as in the paper (2000 epochs)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Custom</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>panel.register_logic</name>
    <message>
        <source>Expected error</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{moving} to {fixed}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Reading the volumes ...</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Registering ...</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Writing the results ...</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The initial alignment by landmarks needs a list of moving and one of fixed points: see Landmarks.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Loading PyTorch and the checkpoint ...</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Loading PyTorch ...</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{moving} expected error</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{fixed} tissue mask</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{name} is an image of a pair, and would be overwritten: choose another warped volume.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{name} is both the moving and the fixed volume: choose two different volumes.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{moving} and {fixed} hold the same image: choose two different scans.</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>panel.register_section</name>
    <message>
        <source>Cancel</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Stop. The scene is left unchanged.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Apply the transform of this registration to the checked volumes.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Undo the last registration.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Register</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Register the moving to the fixed volume.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Left unchanged after {seconds:.2f} s: {names}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Registered in {seconds:.2f} s: {names}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Stopped, because a node of the registration was deleted.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>a registration and checked volumes</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>a registration to undo: the last one, of this pair</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>a moving volume</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>a fixed volume</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>two different volumes</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>another warped volume (Advanced): this one is an image, which would be overwritten</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Cancelled. The scene is unchanged.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Check volumes other than the moving and the fixed one.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{moving} to {fixed}: {text}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source> and </source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The transform is applied to: {names}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>an image in the volume {name}</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>panel.report_section</name>
    <message>
        <source>Copied. The report has no names and no paths. Read it before you post it.</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>panel.result_texts</name>
    <message>
        <source>Alignment is not confident. Check the overlay.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The registration belongs to other slices: {moving} (moving) and {fixed} (fixed). Choose these slices, or register again.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>These notes on the registration cannot be read, and a newer version may have written them: {names}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>preparation</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>initial alignment</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>network</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>refinement</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>error prediction</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Only the initial alignment was used; later stages did not improve it.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Expected error: {expected} (95 %: {bound}); about {percent:.0f} % of the image is expected to be off by over {limit:g} {unit}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The moving volume has changed since the registration. Register again.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The fixed volume has changed since the registration. Register again.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The transform has been moved since the registration. Register again.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The registration in this scene cannot be read completely. Register again.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The transform has been changed since the registration. Register again.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{micrometres:.0f} µm</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Alignment is not confident ({reason}), so the images were left unchanged. Check the overlay. Then try another initial alignment under Advanced, or masks. Or mark three or more landmarks in both images under Measure, and choose landmarks as the initial alignment.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The initial alignment is by {kind}: {reason}. Check the overlay.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The simpler kind {kind} was used ({reason}).</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{stage} {seconds:.2f} s</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Registration undone.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Registration undone</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Initial alignment: {kind}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The checkpoint was adapted with the initial alignment {adapted} and was used with {used}. The result may be less accurate. Choose {adapted} under Advanced / Stages, or fine-tune it again.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The registration contradicts the pixel sizes {moving} µm (moving) and {fixed} µm (fixed). With these sizes, the same tissue would be {scale:.3f} times as large in the moving image as in the fixed one. Check the pixel sizes.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>({count} steps)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Deleted since then, and not restored: {names}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Changed since then, and left as changed: {names}.</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>panel.results_section</name>
    <message>
        <source>shown</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>stages</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>checkpoint</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>landmarks</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The selected result is applied to the volumes.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>unknown</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>of {count}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>({micrometres:.0f} µm)</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>panel.stage_choices</name>
    <message>
        <source>affine</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>rigid</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>translation</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>landmarks</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>none</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>all off</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>a stage (under Advanced)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>a checkpoint (under Fine-tune)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>network</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>refinement ({count} steps)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>refinement</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{kind} (recommended)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{kind} alignment</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>panel.stages_section</name>
    <message>
        <source>Stages: {list}</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>panel.texts</name>
    <message>
        <source>Axial length</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Change from</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Checkpoint</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Device</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Device assumes</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Epochs</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>“Use all the same” for</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Initial alignment</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Network</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Results folder</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Folder</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Dates</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Reference</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Own regions</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Refinement steps</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Resume</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Pixel spacing</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Folder of visits</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Aligning {detail} ...</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Registering {detail} ...</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The memory ran out: close other programs, or choose another device (CPU), and start again.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Unexpected error ({error}). Report it with the log (Help / Report a bug).</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>A file could not be read or written ({error}): check the folder and start again.</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>panel.torch_installation</name>
    <message>
        <source>Looking for the build of PyTorch for this computer ...</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Looking for {name} ...</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Downloading {name} ...</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Putting the files in place; this cannot be interrupted ...</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The installation of PyTorch was cancelled. Nothing was installed.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>PyTorch could not be installed. It failed at: {step} The reason: {reason}. Check the network connection and the free disk space, and click again.</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>panel.training_display</name>
    <message>
        <source>from your last training</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>rough estimate</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>step</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>loss, each step</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>local NCC, each step</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Starting ...</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>, NCC {ncc:.3f}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>, local NCC {ncc:.3f}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{time} ({source})</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Starting ... About {time}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Epoch {epoch} of {total}: loss {loss:.4f}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>epoch</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>loss, held-out pairs</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>NCC, held-out pairs</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>loss, training pairs</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>local NCC, training pairs</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Training on {device} ...</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{percent} %, {time} left</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>panel.views_section</name>
    <message>
        <source>Show the moving image, warped once it is registered.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Show the fixed image.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Show both images compared in one view.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Show the moving and the fixed image alternately.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>a moving and a fixed volume</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>panel.visits_change_section</name>
    <message>
        <source>For research use: no diagnosis, and no lesions are outlined. Local density of capillaries, later minus earlier visit, in percentage points. Blue: decreased, orange: increased, where a cluster is larger than those of repeat scans. Grey lines: not measurable (no overlap, shadow, motion line). A change of the focal plane, or of blood flow below what the device shows, cannot be distinguished from a change of the eye.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Map what changed between the two visits.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Write one page with the visits, film, average and consistency, and the change with its regions if mapped.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Save the report</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>two registered visits</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>two different visits</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>From {earlier} to {later}: vessel density decreased on {lost:.1f} % and increased on {gained:.1f} % of the measurable pixels. {unknown:.0f} % not measurable. Move the point in the views to the fovea.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The pixel size is unknown: the circles are shares of the image, not 1, 3 and 6 mm.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Not saved.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{share:.0f} % with an uncertain alignment.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Saved {file}.</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>panel.visits_choice</name>
    <message>
        <source>ask</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>day first</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>month first</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>no dates from names</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The table of visits says an axial length of {stated:g} mm. {length:g} mm, as entered, is used.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>the one with the best quality</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Left out: {reason}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{count} visits of {eye}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Read {} of {} visits ...</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>panel.visits_input</name>
    <message>
        <source>Visits</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Side is {chosen}, but the files of the visits or their names say {stated}. Correct one of them.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{name}: a visit is one 2D image, but this volume has {count} slices. Take it out, or load one slice.</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>panel.visits_logic</name>
    <message>
        <source>{later} ({later_date}) is before {earlier} ({earlier_date}): choose the earlier visit first.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Change</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Not measurable</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Loading the visits ...</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Reading the visits ...</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Averaging ...</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Writing the report ...</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Loading the measures ...</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Centre of the grid</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{eye} density difference, {earlier} to {later}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{eye} density changed, {earlier} to {later}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{eye} not measurable, {earlier} to {later}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{eye} regions, {earlier} to {later}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{name} visit shown</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{name} was chosen twice: choose two visits.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{name} points</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Loading {name} ...</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>panel.visits_measures</name>
    <message>
        <source>axial length ({axial:g} mm, the device assumes {device:g} mm)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>axial length (none)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{name} measures</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{name} changes</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{name} trends</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>FAZ of {visit}: the scene holds no outline of it. None was found with certainty, or it was deleted. It can be drawn.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>FAZ of {visit}: not measured, because the curve crosses itself. Move or delete the points of the loop.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Year</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Visit number</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>within repeatability</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>FAZ of {visit}: not measured, because the pixel size is unknown.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>FAZ of {visit}: its curve has fewer than three points.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>FAZ of {visit}: not measured, because the curve leaves the image. Move its points into the image.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The pixel size is unknown, so the FAZ cannot be measured. Give it, and register again.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{name} FAZ</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{name} FAZ corrected by hand</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>lowest within repeatability</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>highest within repeatability</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>centre of the grid</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{name}: its FAZ has fewer than three points.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>side ({side})</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>panel.visits_measures_section</name>
    <message>
        <source>Keep the corrected FAZ in a table, and in faz_corrected.csv beside the results.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>These measures are of an earlier choice of {list}. Register all measures again.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>corrected by hand</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>changed by hand, not kept yet</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Draw the measure of the whole image over the dates of the visits.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Draw the FAZ of the shown visit by clicks in the views, or add points.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>a FAZ of the shown visit that can be measured</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>a correction by hand (this FAZ is as the program found it)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Click points on the border of the FAZ. Right-click to finish.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>FAZ of {visit}: {area}, perimeter {perimeter}, circularity {circularity} ({state}).</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Regions and axial length: {list}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>This Slicer has no plot views: the report shows the values.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Kept in a table of the scene. The results folder is no longer there, so no file was written.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>found by the program</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>measures</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>none</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>a visit that the views show</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Kept in {file}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{length:g} mm</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>panel.visits_section</name>
    <message>
        <source>Cancel</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Stop within two seconds. The scene is left unchanged.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The results of {eye} are in {folder}. They are not shown, because other visits are chosen now.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Register again, and use the visit of the selected row in spite of what was found.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Register all</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Register all visits to the reference, check and average them.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Cancelling ...</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Starting ...</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The choice of visits and its settings are locked until the registration ends.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>a row of the table whose visit is left out</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>the end of the present work</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{aligned} of {count} visits on {reference}. {order} {end}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>a folder of visits, or checked volumes</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Registering {count} visits ...</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>a second visit of the same eye</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Left out of average and change: {count}.</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>panel.visits_shown</name>
    <message>
        <source>Show the aligned visits one after the other, as Sequences does.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Show the visits beside their average, with the change overlaid.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Place landmarks in the visit of the selected row. They are measured if the reference has landmarks too.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>No longer in the scene: {names}. Register all visits again.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The transform is no longer in the scene: {names}. Register all visits again.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Moved, rescaled or edited since the registration: {names}. Register all visits again.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Registered before with other visits or dates: {names}. Register all visits again.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>a row of the table</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{name} could not be aligned, so it cannot be shown here.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Click the landmarks of {name}, in the same order in every visit. Right-click to finish.</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>panel.visits_table</name>
    <message>
        <source>Order of dates.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Order of names: dates are not known.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Inconsistent alignment: round-trip error over {limit} px. Check this visit.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>no longer in the scene</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>reference</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>expected error {expected:.1f} px (95 %: {bound:.1f} px)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{share} (alignment: {uncertain:.0f})</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>not aligned, left out</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{count:.0f} px</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>left out: {reason}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>low signal quality</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>through {visit}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>about {share:.0f} % of the image off by over 2 px</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>panel.visits_words</name>
    <message>
        <source>vessel density</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>capillary density</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>density of larger vessels</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>length of larger vessels</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>FAZ area</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>FAZ perimeter</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>FAZ circularity</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>non-perfused area</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>brightness</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>signal quality</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>whole image</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>centre</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>inner</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>outer</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>superior</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>inferior</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>nasal</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>temporal</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>left</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>right</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>unknown: left and right</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>changed</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>within repeatability</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>not measurable</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>not comparable</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>uncertain</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Eye</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Visit</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Date</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Region</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Measure</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Value</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Unit</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Measurable (%)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Uncertain (%)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Signal quality</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Axial length (mm)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Earlier</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Later</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Difference</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Difference (%)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Detectable</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Verdict</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Per year</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>From</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>To</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Dates</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Note</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>registered visits</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>the sequence of visits (it was deleted)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>corrected by hand</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>area depends on the centre</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>right eye</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>left eye</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>grey levels</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>panel.widgets</name>
    <message>
        <source>Stopped, because the scene was closed.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{files} exists already. Replace it?</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{files} exist already. Replace them?</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Replace files</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{hours} h {minutes} min</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Still missing: {list}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{seconds} s</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{minutes} min</source>
        <translation type="unfinished"></translation>
    </message>
</context>
</TS>
