import { xmlDocument, type AnswerLanguage } from '../answer-plan.ts';
import { element, responseOf } from '../markup.ts';

const STREAM_PARAMETERS_MAX = 12;

/**
 * BXML: `<StartStream>` does not wait, `<StopStream wait="true">` does
 * (dev.bandwidth.com, BXML `startStream`, `stopStream`). Each stream of a call has a name of its own.
 */
export const BXML: AnswerLanguage = {
  connect: ({ streamUrls, parameters, againUrl, statusUrl, verify }) => {
    const params = Object.entries(parameters)
      .slice(0, STREAM_PARAMETERS_MAX)
      .map(([name, value]) => element('StreamParam', { name, value }));
    const streams = streamUrls.flatMap((destination, index) => {
      const name = `s${index + 1}`;
      const attributes = {
        name,
        mode: 'bidirectional',
        tracks: 'inbound',
        destination,
        destinationUsername: verify.basic?.username,
        destinationPassword: verify.basic?.password,
        streamEventUrl: statusUrl,
      };
      return [element('StartStream', attributes, ...params), element('StopStream', { name, wait: 'true' })];
    });
    return xmlDocument(responseOf(...streams, element('Redirect', { redirectUrl: againUrl })));
  },
  hangUp: () => xmlDocument(responseOf(element('Hangup'))),
};
