import { EdgeNetError } from './errors.js';

export interface RetryPolicy {
  retries: number; // after the first attempt
  firstMs: number;
  longestMs: number;
}

export const defaultRetry: RetryPolicy = { retries: 3, firstMs: 250, longestMs: 10_000 };

const mayPass = (error: unknown): boolean =>
  error instanceof EdgeNetError && (error.code === 'unavailable' || error.code === 'corrupt');

/**
 * Repeats what may pass: outages, and bytes damaged on their way. Before repetition n it waits a random time of at
 * most firstMs * 2^n ("full jitter", AWS Architecture Blog, 2015), so that clients of a server that recovers do not
 * come back together.
 */
export async function retry<T>(
  policy: RetryPolicy,
  signal: AbortSignal | undefined,
  attempt: () => Promise<T>,
): Promise<T> {
  for (let n = 0; ; ++n) {
    signal?.throwIfAborted();
    try {
      return await attempt();
    } catch (error) {
      if (!mayPass(error) || n >= policy.retries) throw error;
      await sleep(Math.random() * Math.min(policy.firstMs * 2 ** n, policy.longestMs), signal);
    }
  }
}

function sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal?.reason as Error);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop);
      resolve();
    }, ms);
    signal?.addEventListener('abort', stop, { once: true });
  });
}
