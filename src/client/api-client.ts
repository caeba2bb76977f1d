import type { Clock } from '../base/clock.ts';
import { followEvents, type EventStreamWish, type LiveItem } from './event-stream.ts';
import { Requests, type Access } from './requests.ts';
import type { Cluster } from './cluster-shapes.ts';
import type {
  Call,
  Credential,
  CredentialWish,
  DeadLetterRange,
  Delivery,
  DeliveryLog,
  FreshCredential,
  FreshKey,
  FreshWebhook,
  HookAttempt,
  Key,
  KeyWish,
  Listed,
  ListWish,
  Replayed,
  RotationWish,
  Session,
  SessionWish,
  Webhook,
  WebhookChange,
  WebhookWish,
  WholeCall,
} from './shapes.ts';

export interface ApiClientOptions extends Access {
  readonly clock: Pick<Clock, 'after'>;
}

/** The API as a table of what can be asked of it. */
export type ApiClient = ReturnType<typeof openApiClient>;

/** A typed client of the API. It holds nothing open but the event streams that are being read. */
export function openApiClient(options: ApiClientOptions) {
  const api = new Requests(options);
  return {
    createSession: (wish: SessionWish): Promise<Session> => api.post('/voice/sessions', wish),

    createCredential: (wish: CredentialWish): Promise<FreshCredential> =>
      api.post('/voice/stream-credentials', wish),
    listCredentials: (query?: ListWish): Promise<Listed<Credential>> =>
      api.list('/voice/stream-credentials', query),
    deleteCredential: (id: string): Promise<void> => api.remove(`/voice/stream-credentials/${segment(id)}`),

    listCalls: (query?: ListWish & { readonly state?: Call['state'] }): Promise<Listed<Call>> =>
      api.list('/calls', query),
    getCall: (id: string): Promise<WholeCall> => api.get(`/calls/${segment(id)}`),
    hangUp: (id: string): Promise<{ readonly id: string; readonly state: 'ending' }> =>
      api.post(`/calls/${segment(id)}/hangup`),

    getCluster: (): Promise<Cluster> => api.get('/cluster'),

    createWebhook: (wish: WebhookWish): Promise<FreshWebhook> => api.post('/webhooks', wish),
    listWebhooks: (query?: ListWish): Promise<Listed<Webhook>> => api.list('/webhooks', query),
    getWebhook: (id: string): Promise<Webhook> => api.get(`/webhooks/${segment(id)}`),
    deleteWebhook: (id: string): Promise<void> => api.remove(`/webhooks/${segment(id)}`),
    testWebhook: (id: string): Promise<HookAttempt> => api.post(`/webhooks/${segment(id)}/test`),
    updateWebhook: (id: string, change: WebhookChange): Promise<Webhook> =>
      api.patch(`/webhooks/${segment(id)}`, change),
    rotateWebhookSecret: (id: string, wish: RotationWish = {}): Promise<FreshWebhook> =>
      api.post(`/webhooks/${segment(id)}/rotate-secret`, wish),
    enableWebhook: (id: string): Promise<Webhook> => api.post(`/webhooks/${segment(id)}/enable`),
    recoverWebhook: (id: string, range: { since: string; until?: string }): Promise<Replayed> =>
      api.post(`/webhooks/${segment(id)}/recover`, range),
    listDeliveries: (id: string, query?: ListWish & { readonly state?: string }): Promise<Listed<Delivery>> =>
      api.list(`/webhooks/${segment(id)}/deliveries`, query),
    getDelivery: (id: string): Promise<DeliveryLog> => api.get(`/deliveries/${segment(id)}`),
    replayDelivery: (
      id: string,
      options: { readonly as_new_event?: boolean } = {},
    ): Promise<{ readonly id: string; readonly replay_of: string; readonly event_id: string }> =>
      api.post(`/deliveries/${segment(id)}/replay`, options),
    listDeadLetters: (query?: ListWish & DeadLetterRange): Promise<Listed<Delivery>> =>
      api.list('/dead-letters', query),
    replayDeadLetters: (
      wish: DeadLetterRange & { readonly ids?: readonly string[]; readonly as_new_event?: boolean },
    ): Promise<Replayed> => api.post('/dead-letters/replay', wish),

    createKey: (wish: KeyWish): Promise<FreshKey> => api.post('/keys', wish),
    listKeys: (query?: ListWish): Promise<Listed<Key>> => api.list('/keys', query),
    updateKey: (id: string, change: Partial<Omit<KeyWish, 'test_mode'>>): Promise<Key> =>
      api.patch(`/keys/${segment(id)}`, change),
    rotateKey: (id: string): Promise<FreshKey> => api.post(`/keys/${segment(id)}/rotate`),
    deleteKey: (id: string): Promise<void> => api.remove(`/keys/${segment(id)}`),

    /** Live events, resumed over broken connections until `signal` ends them. */
    eventStream: (wish: EventStreamWish = {}): AsyncGenerator<LiveItem, void, void> =>
      followEvents(api, wish, options.clock),
  };
}

function segment(id: string): string {
  return encodeURIComponent(id);
}
