import type { Clock } from '../../base/clock.ts';
import { VoiceError, type Refusal } from '../../base/errors.ts';
import { newId } from '../../base/ids.ts';
import { isValidSecret, newSecret } from '../../delivery/wire/signature.ts';
import { checkHeaders } from '../../delivery/wire/request-headers.ts';
import { AGENT_TOOLS, type AgentTerms, type HttpTool } from '../../events/agents.ts';
import { faultOfSchema } from '../../records/inbound/schema/schema-rules.ts';
import type { RouteContext } from '../routes/route-context.ts';
import { requireUsable } from '../inbound/usable-schema.ts';
import type { HttpToolWish } from './tool-shapes.ts';

const TIMEOUT_MS = 5_000;

type Desks = Pick<RouteContext, 'clock' | 'delivery' | 'inbound'>;

/**
 * The functions an agent has once a wish is granted; throws where one could not be carried out. Secrets are
 * shown once, so whoever changes a function cannot repeat them: they stay as long as name and address do.
 */
export async function httpToolsOf(
  wishes: readonly HttpToolWish[],
  before: AgentTerms | undefined,
  desks: Desks,
): Promise<readonly HttpTool[]> {
  const names = new Set<string>(AGENT_TOOLS);
  const tools: HttpTool[] = [];
  for (const [index, wish] of wishes.entries()) {
    const field = (member: string): string => `http_tools.${index}.${member}`;
    if (names.has(wish.name)) throw wrong('another tool has this name', field('name'));
    names.add(wish.name);
    const tool = toolOf(wish, before, { field, clock: desks.clock });
    await requireCarriedOut(tool, field, desks);
    tools.push(tool);
  }
  return tools;
}

function toolOf(
  wish: HttpToolWish,
  before: AgentTerms | undefined,
  { field, clock }: { readonly field: (member: string) => string; readonly clock: Clock },
): HttpTool {
  const { name, description, url, method = 'POST', timeout_ms = TIMEOUT_MS } = wish;
  const parameters = wish.parameters ?? { type: 'object', properties: {}, additionalProperties: false };
  const same = before?.http_tools?.find((one) => one.name === name && one.request?.url === url)?.request;
  const headers = wish.headers ?? same?.headers ?? {};
  const secret = wish.secret ?? same?.secret ?? newSecret(clock);
  if (!isValidSecret(secret)) throw wrong('is whsec_ and 24 to 64 bytes in base64', field('secret'));
  return { name, description, parameters, timeout_ms, request: { url, method, headers, secret } };
}

async function requireCarriedOut(
  { parameters, request }: HttpTool,
  field: (member: string) => string,
  { clock, delivery, inbound }: Desks,
): Promise<void> {
  const fault = parameters['type'] === 'object' ? faultOfSchema(parameters) : 'the arguments are an object';
  if (fault !== undefined) throw wrong(fault, field('parameters'));
  const { url, headers } = request!;
  granted(checkHeaders(headers), field('headers'));
  granted(await delivery.checkUrl(url), field('url'));
  // A key of its own each time: what was refused once may be right now.
  const key = newId('tool', clock);
  await requireUsable({ key, text: JSON.stringify(parameters) }, field('parameters'), inbound);
}

function granted(refusal: Refusal | undefined, field: string): void {
  if (refusal !== undefined) throw new VoiceError(refusal.fault, refusal.detail, { field });
}

function wrong(message: string, field: string): VoiceError {
  return new VoiceError('invalid_argument', message, { field });
}
