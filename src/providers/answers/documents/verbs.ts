import { jsonDocument, type AnswerLanguage } from '../answer-plan.ts';

/**
 * Verbs of jambonz (and Cognigy's gateway): `listen` until the socket is closed; its `actionHook` is then
 * asked for the next verbs, and the verb behind it runs where the hook says none (docs.jambonz.org).
 */
export const VERBS: AnswerLanguage = {
  connect: ({ streamUrls, parameters, againUrl, verify }) => {
    const wsAuth = verify.basic === undefined ? {} : { wsAuth: verify.basic };
    const listens = streamUrls.map((url) => ({
      verb: 'listen',
      url,
      sampleRate: 16_000,
      mixType: 'mono',
      passDtmf: true,
      bidirectionalAudio: { enabled: true, streaming: true, sampleRate: 16_000 },
      metadata: parameters,
      actionHook: againUrl,
      ...wsAuth,
    }));
    return jsonDocument([...listens, { verb: 'redirect', actionHook: againUrl }]);
  },
  dial: ({ to, from }) => {
    const target = /^sips?:/i.test(to) ? { type: 'sip', sipUri: to } : { type: 'phone', number: to };
    const shown = from === null ? {} : { callerId: from };
    return jsonDocument([{ verb: 'dial', ...shown, target: [target] }]);
  },
  hangUp: () => jsonDocument([{ verb: 'hangup' }]),
};

/** The Voicebot applet of Exotel asks for the URL of its stream, and no more (developer.exotel.com). */
export const STREAM_URL: AnswerLanguage = {
  connect: ({ streamUrls: [url] }) => jsonDocument({ url }),
  hangUp: () => jsonDocument({}),
};
