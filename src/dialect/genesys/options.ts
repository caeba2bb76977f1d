import type { DialectOption } from '../capabilities.ts';
import { l16ByteOrder } from '../json-media/stream/options.ts';

/** Which of the two products that share the protocol is connected. */
export const PRODUCT: DialectOption = {
  name: 'product',
  values: ['by_offer', 'audio_connector', 'monitor'],
  fallback: 'by_offer',
  meaning: 'Audio Connector hears us, Monitor refuses audio; by its offer, who offers the agent is Monitor.',
};

/** Whom to listen to, where there is a choice. */
export const CHANNELS: DialectOption = {
  name: 'channels',
  values: ['external', 'both', 'internal'],
  fallback: 'external',
  meaning: 'Whom to listen to: the customer, both (two channels mixed to one) or the agent, where offered.',
};

/** PCMU is offered in practice; L16 is named in the protocol, its byte order is not. */
export const L16_ORDER: DialectOption = l16ByteOrder('little');
