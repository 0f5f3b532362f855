"""Which of COCO's classes edged-nano learns, and which it adds and keeps."""

from __future__ import annotations

from edged.domain.coco import COCO80

COCO_IDS = {name: number for number, name in enumerate(COCO80)}

# The network learns the teacher's 80 classes, because what tells them apart also tells a person from a coat stand,
# and one more that stands for any road vehicle. Export keeps only the rows that come out well.
VEHICLE = len(COCO80)
TAUGHT = (*COCO80, "vehicle")
VEHICLE_IDS = tuple(COCO_IDS[name] for name in ("bicycle", "car", "motorcycle", "bus", "truck"))

# What ships, by label: the row of the network's scores, and the COCO ids that count as such an object. Cats and dogs
# came out too badly.
KEPT = {
    "person": (COCO_IDS["person"], (COCO_IDS["person"],)),
    "vehicle": (VEHICLE, VEHICLE_IDS),
}
