import { createParser } from 'eventsource-parser';
import { WebSocket } from 'ws';

/** One reader over all of its connections: it resumes after the last cursor it saw. */
export interface Reader {
  readonly ids: string[];
  readonly gaps: () => number;
  readonly open: () => Promise<void>;
  readonly cut: () => void;
  readonly isOpen: () => boolean;
}

/** Over SSE; `base` is the API's own, as in `http://127.0.0.1:8080/api/v1`. */
export function sseReader(base: string, key: string): Reader {
  const ids: string[] = [];
  let gaps = 0;
  let cursor: string | undefined;
  let abort = new AbortController();
  let isOpen = false;
  const open = async (): Promise<void> => {
    abort = new AbortController();
    const { signal } = abort;
    const resume: { [name: string]: string } = cursor === undefined ? {} : { 'last-event-id': cursor };
    const response = await fetch(`${base}/events/stream`, {
      headers: { authorization: `Bearer ${key}`, ...resume },
      signal,
    });
    if (response.status !== 200) throw new Error(`stream refused: ${response.status}`);
    isOpen = true;
    const parser = createParser({
      onEvent: ({ id, event, data }) => {
        if (signal.aborted) return;
        cursor = id ?? cursor;
        if (event === 'gap') gaps++;
        else ids.push((JSON.parse(data) as { id: string }).id);
      },
    });
    const read = async (): Promise<void> => {
      const decoder = new TextDecoder();
      for await (const bytes of response.body!) parser.feed(decoder.decode(bytes, { stream: true }));
    };
    read()
      .catch(() => undefined)
      .finally(() => (isOpen = false));
  };
  return { ids, gaps: () => gaps, open, cut: () => abort.abort(), isOpen: () => isOpen };
}

/** Over WebSocket. */
export function socketReader(base: string, key: string): Reader {
  const ids: string[] = [];
  let gaps = 0;
  let cursor: string | undefined;
  let socket: WebSocket | undefined;
  const open = async (): Promise<void> => {
    const query = cursor === undefined ? '' : `?from=${cursor}`;
    const opening = new WebSocket(`${base.replace('http', 'ws')}/events/ws${query}`, {
      headers: { authorization: `Bearer ${key}` },
    });
    socket = opening;
    opening.on('message', (data: Buffer) => {
      if (opening !== socket) return;
      const said = JSON.parse(data.toString()) as { cursor: string; type: string; event?: { id: string } };
      ({ cursor } = said);
      if (said.event !== undefined) ids.push(said.event.id);
      else if (said.type === 'gap') gaps++;
    });
    await new Promise((resolve, reject) => opening.once('open', resolve).once('error', reject));
    opening.on('error', () => undefined);
  };
  const cut = (): void => {
    socket?.terminate();
    socket = undefined;
  };
  const isOpen = (): boolean => socket?.readyState === WebSocket.OPEN;
  return { ids, gaps: () => gaps, open, cut, isOpen };
}
