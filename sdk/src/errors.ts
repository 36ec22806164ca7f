/** The closed list of ways to fail, in the order of the core's enum (enm/base/status.h). */
export const codes = [
  'ok',
  'invalid_argument',
  'corrupt',
  'unsupported',
  'not_found',
  'conflict',
  'untrusted',
  'resource_exhausted',
  'unavailable',
  'cancelled',
  'io',
  'internal',
] as const;
export type Code = (typeof codes)[number];

/** Every error of this package but an abort, which is the signal's own reason. */
export class EdgeNetError extends Error {
  override readonly name = 'EdgeNetError';

  constructor(
    readonly code: Code,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** An EdgeNetError of kind `corrupt`, which is what foreign bytes earn most. */
export const corrupt = (message: string) => new EdgeNetError('corrupt', message);
