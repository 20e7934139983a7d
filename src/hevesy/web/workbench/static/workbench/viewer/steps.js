// Work in steps, as a generator that yields between them: at once, or so that the page answers meanwhile.

export function atOnce(work) {
  let step = work.next();
  while (!step.done) step = work.next();
  return step.value;
}

export async function unhurried(work) {
  let step = work.next();
  while (!step.done) {
    await new Promise((wake) => setTimeout(wake));
    step = work.next();
  }
  return step.value;
}
