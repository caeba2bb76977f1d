/*
 * What Twilio's media servers say, word for word from its page on WebSocket messages and not from our
 * dialect: a mistake in the one must not hide in the other.
 */

export function connectedWords(): string {
  return JSON.stringify({ event: 'connected', protocol: 'Call', version: '1.0.0' });
}

export function startWords(
  streamSid: string,
  callSid: string,
  customParameters: { readonly [name: string]: string } = {},
): string {
  const start = {
    accountSid: 'AC0',
    streamSid,
    callSid,
    tracks: ['inbound'],
    mediaFormat: { encoding: 'audio/x-mulaw', sampleRate: 8000, channels: 1 },
    customParameters,
  };
  return JSON.stringify({ event: 'start', sequenceNumber: '1', start, streamSid });
}

export function stopWords(streamSid: string, callSid: string, sequenceNumber: number): string {
  const stop = { accountSid: 'AC0', callSid };
  return JSON.stringify({ event: 'stop', sequenceNumber: String(sequenceNumber), stop, streamSid });
}

/** What was sent before this mark has been played, or dropped. */
export function markWords(streamSid: string, name: string): string {
  return JSON.stringify({ event: 'mark', streamSid, mark: { name } });
}

/** All of a media message before its payload. */
export function mediaHead(sequenceNumber: number, index: number): string {
  const media = `"track":"inbound","chunk":"${index + 1}","timestamp":"${index * 20}","payload":"`;
  return `{"event":"media","sequenceNumber":"${sequenceNumber}","media":{${media}`;
}

/** All of it behind the payload. */
export function mediaTail(streamSid: string): string {
  return `"},"streamSid":"${streamSid}"}`;
}
