import { InferenceSession } from '@ruvector/edge-net-models';

window.tell = async (options) => {
  const session = await InferenceSession.create('story', options);
  try {
    return { text: await session.generate('Once upon a time', { maxTokens: 40 }), threads: session.threads };
  } finally {
    session.dispose();
  }
};
window.ready = true;
