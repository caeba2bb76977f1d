import type { Dialect } from '../dialect.ts';
import { LISTEN_ONLY } from '../json-media/stream/options.ts';
import { AsteriskCaller } from './caller.ts';
import { ASTERISK_CAPABILITIES } from './capabilities.ts';
import { ASTERISK_FORMATS } from './format.ts';
import { ANSWER, MARKS, URI_PARAMETERS } from './options.ts';
import { openAsteriskSession } from './session.ts';

/** Asterisk's chan_websocket, dialling us (docs.asterisk.org, Channel Drivers, WebSocket). */
export const asteriskDialect: Dialect = {
  name: 'asterisk',
  subprotocols: ['media'],
  capabilities: ASTERISK_CAPABILITIES,
  options: [MARKS, ANSWER, URI_PARAMETERS, LISTEN_ONLY],
  formats: ASTERISK_FORMATS,
  openSession: (options) => openAsteriskSession(options),
  openCaller: (options) => new AsteriskCaller(options),
  // `username` and `password` of websocket_client.conf arrive as Basic, which the door checks.
  proofs: [],
};
