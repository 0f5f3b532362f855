"""The words of the COCO data set, and the ones that edged-nano adds and keeps."""

from __future__ import annotations

COCO = (
    "person", "bicycle", "car", "motorcycle", "airplane", "bus", "train", "truck", "boat", "traffic light",
    "fire hydrant", "stop sign", "parking meter", "bench", "bird", "cat", "dog", "horse", "sheep", "cow",
    "elephant", "bear", "zebra", "giraffe", "backpack", "umbrella", "handbag", "tie", "suitcase", "frisbee",
    "skis", "snowboard", "sports ball", "kite", "baseball bat", "baseball glove", "skateboard", "surfboard",
    "tennis racket", "bottle", "wine glass", "cup", "fork", "knife", "spoon", "bowl", "banana", "apple",
    "sandwich", "orange", "broccoli", "carrot", "hot dog", "pizza", "donut", "cake", "chair", "couch",
    "potted plant", "bed", "dining table", "toilet", "tv", "laptop", "mouse", "remote", "keyboard", "cell phone",
    "microwave", "oven", "toaster", "sink", "refrigerator", "book", "clock", "vase", "scissors", "teddy bear",
    "hair drier", "toothbrush",
)  # fmt: skip
COCO_IDS = {name: number for number, name in enumerate(COCO)}

# The network learns the teacher's 80 classes, because what tells them apart also tells a person from a coat stand,
# and one more that stands for any road vehicle. Export keeps only the rows that come out well.
VEHICLE = len(COCO)
TAUGHT = (*COCO, "vehicle")
VEHICLE_IDS = tuple(COCO_IDS[name] for name in ("bicycle", "car", "motorcycle", "bus", "truck"))

# What ships, by label: the row of the network's scores, and the COCO ids that count as such an object. Cats and dogs
# came out too badly.
KEPT = {
    "person": (COCO_IDS["person"], (COCO_IDS["person"],)),
    "vehicle": (VEHICLE, VEHICLE_IDS),
}
