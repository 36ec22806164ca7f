/** A text to its end in one go, with the seconds that prompt and answer took. */
export function tell(core, request) {
  core.beginText(request);
  const begin = performance.now();
  let read = begin;
  let text = '';
  for (let done = false; !done;) {
    const step = core.step();
    done = step.done;
    text += step.text;
    if (step.readPrompt) read = performance.now();
  }
  const seconds = { prefill: (read - begin) / 1e3, decode: (performance.now() - read) / 1e3 };
  return { text, ...core.endText(), seconds };
}
