import type { ClientOptions } from '../../../src/dialect/client.ts';
import { PCMU_8K } from '../../../src/media/format.ts';

/** Whom a test dials. */
export const CLIENT_OPTIONS: ClientOptions = {
  nowMs: 0,
  url: 'wss://agent.example.com/media/talk',
  apiKey: null,
  format: PCMU_8K,
  model: null,
  voice: null,
  language: null,
  instructions: null,
  greeting: null,
  tools: [],
  history: [],
  callId: 'CA0123456789abcdef0123456789abcdef',
  streamId: 'MZ0123456789abcdef0123456789abcdef',
  from: '+15550100',
  to: '+15550199',
  parameters: { lead_id: '884' },
  options: {},
  settings: {},
};
