// One thread of the pool.
import { runThread } from '/sdk/engine/core.js';

onmessage = ({ data }) => runThread(data, () => postMessage('ready'));
