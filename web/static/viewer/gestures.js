/** Wheel, drag, pinch, swipe and double click on a stage. */

const WHEEL = 0.0015;
/** Some browsers count lines in place of pixels. */
const LINE_PX = 16;
const SWIPE_PX = 60;

/**
 * @param {HTMLElement} stage
 * @param {{zoomsByWheelAlone: boolean, onZoom: (factor: number, point: {x: number, y: number}) => void, onMove: (x: number, y: number) => void,
 *   onToggle: (point: {x: number, y: number}) => void, onSwipe: (by: number) => void}} on
 *   Points and distances in pixels of the stage. onSwipe: one finger went to the left (1) or to the right (-1).
 */
export function listenToGestures(stage, { zoomsByWheelAlone, onZoom, onMove, onToggle, onSwipe }) {
  const fingers = new Map();
  /** Where a swipe would have begun. */
  let start = null;
  const pointOf = (event) => {
    const { left, top } = stage.getBoundingClientRect();
    return { x: event.clientX - left, y: event.clientY - top };
  };

  stage.addEventListener(
    "wheel",
    (event) => {
      if (!zoomsByWheelAlone && !event.ctrlKey) return;
      event.preventDefault();
      const px = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? event.deltaY * LINE_PX : event.deltaY;
      onZoom(Math.exp(-px * WHEEL * (event.ctrlKey ? 5 : 1)), pointOf(event));
    },
    { passive: false },
  );
  stage.addEventListener("dblclick", (event) => onToggle(pointOf(event)));
  stage.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    stage.setPointerCapture(event.pointerId);
    fingers.set(event.pointerId, pointOf(event));
    start = event.pointerType === "touch" && fingers.size === 1 ? pointOf(event) : null;
  });
  stage.addEventListener("pointermove", (event) => {
    if (!fingers.has(event.pointerId)) return;
    const before = spread(fingers);
    fingers.set(event.pointerId, pointOf(event));
    const now = spread(fingers);
    onMove(now.x - before.x, now.y - before.y);
    if (fingers.size > 1) onZoom(now.width / before.width, now);
  });
  stage.addEventListener("pointerup", (event) => {
    if (start === null) return;
    const [x, y] = [pointOf(event).x - start.x, pointOf(event).y - start.y];
    if (Math.abs(x) > Math.max(SWIPE_PX, 2 * Math.abs(y))) onSwipe(-Math.sign(x));
  });
  for (const end of ["pointerup", "pointercancel"]) stage.addEventListener(end, (event) => fingers.delete(event.pointerId));
}

/** The middle of the fingers, and how far the first two are apart. */
function spread(fingers) {
  const [first, second = first] = fingers.values();
  return {
    x: (first.x + second.x) / 2,
    y: (first.y + second.y) / 2,
    width: Math.max(1, Math.hypot(first.x - second.x, first.y - second.y)),
  };
}
