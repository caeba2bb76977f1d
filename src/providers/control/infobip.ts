import type { ProviderApi } from './provider-api.ts';
import { jsonRequest, segmentOf } from './request-parts.ts';

/**
 * Infobip Calls API: `POST /calls/1/calls/{callId}/hangup`, `Authorization: App {api key}`, at the address of
 * the account (www.infobip.com/docs/api/channels/voice/calls/call-legs/hangup-call). Its calls are moved by
 * dialogs and conferences of the application that made them: there is nothing here to redirect them by.
 */
export const infobip: ProviderApi = {
  baseUrl: undefined,
  hangUp: ({ account, callId }, base) => {
    const proof = { authorization: `App ${account.secret}` };
    const body = { errorCode: 'NORMAL_HANGUP' };
    return jsonRequest('POST', `${base}/calls/1/calls/${segmentOf(callId)}/hangup`, proof, body);
  },
};
