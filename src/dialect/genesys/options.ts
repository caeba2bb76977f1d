import type { DialectOption } from '../capabilities.ts';
import { l16ByteOrder } from '../json-media/stream/options.ts';

/** Which of the two products that share the protocol is connected. */
export const PRODUCT: DialectOption = {
  name: 'product',
  values: ['by_offer', 'audio_connector', 'monitor'],
  fallback: 'by_offer',
  meaning:
    'Audio Connector hears us, Monitor refuses audio (415). By its offer: whoever offers the internal channel is Monitor.',
};

/** Whom to listen to, where there is a choice. */
export const CHANNELS: DialectOption = {
  name: 'channels',
  values: ['external', 'both', 'internal'],
  fallback: 'external',
  meaning:
    'The customer alone, both voices in two channels mixed to one, or the agent alone; what is not offered is not chosen.',
};

/** PCMU is offered in practice; L16 is named in the protocol, its byte order is not. */
export const L16_ORDER: DialectOption = l16ByteOrder('little');
