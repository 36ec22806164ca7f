/** A text of a session to its end in one go, with the seconds that prompt and answer took. */
export function tell(core, session, request) {
  const handle = core.beginText(session, request);
  const begin = performance.now();
  let read = begin;
  let pieces = '';
  for (let state = core.textState(handle); state !== 'done'; state = core.textState(handle)) {
    core.step(session, [handle]);
    pieces += core.takeText(handle);
    if (state === 'reading prompt') read = performance.now();
  }
  const seconds = { prefill: (read - begin) / 1e3, decode: (performance.now() - read) / 1e3 };
  const result = core.textResult(handle);
  core.closeText(handle);
  if (pieces !== result.text) throw new Error(`the pieces are ${pieces}, the text is ${result.text}`);
  return { ...result, seconds };
}
