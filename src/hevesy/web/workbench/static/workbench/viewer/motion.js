// How a scan was moved onto the others, in words.

/** What is said of a time point's place, or null where there is but one. */
export function placeOf(viewer, index) {
  const { text, timePoints } = viewer;
  if (timePoints.length < 2) return null;
  const { motion } = timePoints.find((t) => t.index === index);
  if (!motion) return text("Not registered: lies as its header says");
  if (motion.how === "reference") return text("Reference of the registration");
  if (motion.how === "none") return text("Registration is turned off");
  const moved = `${text("moved")} ${motion.shift_mm.toFixed(1)} mm, ${motion.rotation_deg.toFixed(1)}°`;
  const agreement = `${text("agreement")} ${motion.agreement_before.toFixed(2)} → ${motion.agreement_after.toFixed(2)}`;
  if (motion.how === "rigid") return `${text("Registered")}: ${moved}; ${agreement}`;
  const more = `${text("up to")} ${motion.largest_mm.toFixed(0)} mm ${text("more are not shown")}`;
  return `${text("Registered, rigid part alone")}: ${moved}; ${more}; ${agreement}`;
}
