import type { RedirectTarget } from '../../events/asks.ts';
import type { ProviderApi, ProviderCall, ProviderRequest } from './provider-api.ts';
import { bearerOf, jsonRequest, segmentOf } from './request-parts.ts';

/**
 * Telnyx Call Control v2: `POST /v2/calls/{call_control_id}/actions/…`, bearer API key
 * (developers.telnyx.com/api-reference/call-commands). A command with a `command_id` that was seen within
 * 60 s is not carried out again.
 */
export const telnyx: ProviderApi = {
  baseUrl: 'https://api.telnyx.com',
  hangUp: (call, base) => action(call, base, 'hangup', {}),
  transfer: (call, base, { to, from }) =>
    action(call, base, 'transfer', { to, ...(from === null ? {} : { from }) }),
  // The call stays up without its stream; another one is simply started.
  redirect: (call, base, { streamUrl, audio }) =>
    action(call, base, 'streaming_start', {
      stream_url: streamUrl,
      stream_track: 'inbound_track',
      stream_bidirectional_mode: 'rtp',
      ...(audio === undefined ? {} : asNow(audio)),
    }),
};

function asNow({ heard, said }: NonNullable<RedirectTarget['audio']>): object {
  return {
    stream_codec: heard.codec.toUpperCase(),
    stream_bidirectional_codec: said.codec.toUpperCase(),
    stream_bidirectional_sampling_rate: said.sampleRateHz,
  };
}

function action(call: ProviderCall, base: string, name: string, own: object): ProviderRequest {
  const url = `${base}/v2/calls/${segmentOf(call.callId)}/actions/${name}`;
  return jsonRequest('POST', url, bearerOf(call.account.secret), { ...own, command_id: call.orderId });
}
