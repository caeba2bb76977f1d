import type { IncomingMessage } from 'node:http';
import type { Clock } from '../../base/clock.ts';
import { refuse, type Refusal } from '../../base/errors.ts';
import { sha256Hex } from '../../base/secret.ts';
import type { OptionValues } from '../../dialect/capabilities.ts';
import { AUTO, dialectByHeaders } from '../../dialect/detect.ts';
import type { Dialect } from '../../dialect/dialect.ts';
import type { StreamProof, UpgradeFacts } from '../../dialect/proof.ts';
import { NEWCOMER, type Arrivals, type Caller } from '../arrivals.ts';
import type { ResumeClaims, ResumeTokens } from '../resume-token.ts';
import type { TrustedProxies } from './addresses.ts';
import type { HttpRefusal } from './http-answers.ts';
import type { IssuerTokens } from './issuer-tokens.ts';
import { dialledUrlsOf } from './dialled-urls.ts';
import { Nonces } from './nonces.ts';
import { isProven } from './proofs.ts';
import type { SessionGate } from './session-gate.ts';
import type { UpgradeRequest } from './upgrade-request.ts';

/** What the door must know of a stream credential. */
export interface DoorCredential {
  readonly id: string;
  readonly workspaceId: string;
  readonly dialect: string;
  readonly agentId: string | null;
  readonly testMode: boolean;
  /** How the provider proves itself beyond the path. */
  readonly verify?: StreamProof;
  /** The dialect's options, where they are not its defaults. */
  readonly options?: OptionValues;
}

/** The valid credentials by the SHA-256 of their secret: a lookup by hash tells nothing by its time. */
export interface CredentialLookup {
  get(secretHash: string): DoorCredential | undefined;
}

/** A leg that may be given back. */
export interface Resumption {
  readonly caller: Caller;
  /** Its call is to be brought here, once the leg has said that it is back. */
  readonly prepare?: Arrivals['prepare'];
  readonly arrive: Arrivals['arrive'];
}

/** Whoever can give a leg back to a client that lost its connection. */
export interface Resumes {
  /** Undefined where nobody knows the call; refused where nobody can say now. */
  resume(claims: ResumeClaims): Promise<Resumption | Refusal | undefined>;
}

export interface AdmissionOptions {
  readonly clock: Pick<Clock, 'unixMs'>;
  readonly dialects: (name: string) => Dialect | undefined;
  readonly arrivals: Arrivals;
  readonly credentials: CredentialLookup;
  readonly sessions: SessionGate;
  readonly resumeTokens: Pick<ResumeTokens, 'verify'>;
  readonly resumes?: Resumes | undefined;
  /** Checks JWTs of providers; where it is absent nobody comes in who must show one. */
  readonly issuerTokens?: IssuerTokens;
  readonly proxies: TrustedProxies;
  readonly publicMediaUrls: readonly string[];
}

/** Somebody who may come in. */
export interface Admitted {
  /** Undefined where the first messages are to tell which it is. */
  readonly dialect: Dialect | undefined;
  readonly caller: Caller;
  /** What was said at the upgrade. */
  readonly upgrade: UpgradeFacts;
  readonly options: OptionValues;
  /** Of a session token, to be marked as used when the leg starts. */
  readonly tokenId: string | null;
  /** The resume token that opened the door, where one did. */
  readonly resumeToken: string | null;
  /** The subprotocol to answer with. */
  readonly subprotocol: string | null;
  readonly arrive: Arrivals['arrive'];
  readonly prepare?: Arrivals['prepare'];
}

/** A request, and where it came from. */
export interface Visitor {
  readonly request: IncomingMessage;
  readonly upgrade: UpgradeRequest;
  readonly peerAddress: string;
  readonly clientAddress: string;
  readonly isTls: boolean;
}

type Welcome = Pick<Admitted, 'caller' | 'tokenId' | 'resumeToken' | 'arrive' | 'prepare'> & {
  readonly options?: OptionValues;
};

const WRONG_PROOF = refuse('unauthenticated', 'the credential or token is unknown, expired, used or revoked');

/** A visitor, and what its upgrade tells of the protocol it speaks. */
interface Guest extends Visitor {
  /** What was said at the upgrade. */
  readonly facts: UpgradeFacts;
  readonly dialect: Dialect | undefined;
}

/** Decides who may come in; everything it refuses is refused over HTTP. */
export class Admission {
  readonly nonces: Nonces;
  readonly #options: AdmissionOptions;

  constructor(options: AdmissionOptions) {
    this.#options = options;
    this.nonces = new Nonces(options.sessions);
  }

  async admit(visitor: Visitor): Promise<Admitted | HttpRefusal> {
    const { upgrade } = visitor;
    const facts = this.#factsOf(visitor);
    const isAuto = upgrade.dialectName === AUTO;
    const name = isAuto ? dialectByHeaders(facts) : upgrade.dialectName;
    const dialect = name === undefined ? undefined : this.#options.dialects(name);
    if (dialect === undefined && !isAuto) return refuse('not_found', `no dialect is called ${name}`);
    const welcome = await this.#recognise({ ...visitor, facts, dialect });
    if ('type' in welcome) return welcome;
    const subprotocols = dialect?.subprotocols ?? [];
    const subprotocol = selectSubprotocol(upgrade, subprotocols);
    if (subprotocol !== undefined) return { dialect, subprotocol, options: {}, upgrade: facts, ...welcome };
    return refuse('unsupported_version', `offer one of ${subprotocols.join(', ')}`);
  }

  #recognise(guest: Guest): Promise<Welcome | Refusal> | Welcome | Refusal {
    const { proof } = guest.upgrade;
    if (proof === undefined) return refuse('unauthenticated', 'a credential or a session token is needed');
    if (proof.type === 'resume') return this.#recogniseResume(proof.token, guest.dialect);
    // A leg that comes back is let in also where nobody new is (cluster.md §2.8).
    const refusal = this.#options.arrivals.refuseNew();
    if (refusal !== undefined) return refusal;
    if (proof.type === 'session') return this.#recogniseSession(proof.token);
    return this.#recogniseCredential(proof.secret, guest);
  }

  async #recogniseSession(token: string): Promise<Welcome | Refusal> {
    const { sessions } = this.#options;
    const claims = await sessions.verify(token);
    if (claims === undefined || sessions.isUsed(claims.tokenId)) return WRONG_PROOF;
    const { tokenId, region: _region, ...caller } = claims;
    return { caller, tokenId, resumeToken: null, arrive: this.#arrive };
  }

  #recogniseCredential(secret: string, guest: Guest): Promise<Welcome | Refusal> | Welcome | Refusal {
    const credential = this.#options.credentials.get(sha256Hex(secret));
    if (credential === undefined || credential.dialect !== guest.upgrade.dialectName) return WRONG_PROOF;
    const { verify, workspaceId } = credential;
    const { facts, clientAddress, dialect } = guest;
    const claimant = { upgrade: facts, clientAddress, dialect, workspaceId };
    const nowUnixMs = this.#options.clock.unixMs();
    if (verify !== undefined && !isProven(verify, claimant, this.nonces, nowUnixMs)) return WRONG_PROOF;
    const caller = callerOf(credential);
    const options = credential.options ?? {};
    const prepare: Arrivals['prepare'] = (arrival) => this.#options.arrivals.prepare?.(arrival);
    const welcome = { caller, options, tokenId: null, resumeToken: null, arrive: this.#arrive, prepare };
    if (verify?.audience === undefined && verify?.keys_url === undefined) return welcome;
    return this.#isIssued(verify, guest).then((isIssued) => (isIssued ? welcome : WRONG_PROOF));
  }

  /** Whether the provider's own JWT is shown: its keys may have to be fetched. */
  async #isIssued(
    { audience, keys_url }: StreamProof,
    { facts, dialect }: Pick<Guest, 'facts' | 'dialect'>,
  ): Promise<boolean> {
    const { issuerTokens, clock } = this.#options;
    const token = /^bearer +(\S+)$/i.exec(facts.headers['authorization'] ?? '')?.[1];
    const issuer = dialect?.issuer;
    if (token === undefined || issuer === undefined || audience === undefined) return false;
    const demand = { issuer: issuer.issuer, keysUrl: keys_url ?? issuer.keysUrl, audience };
    return (await issuerTokens?.isValid(token, demand, clock.unixMs())) ?? false;
  }

  #factsOf(visitor: Visitor): UpgradeFacts {
    const { request } = visitor;
    return {
      method: request.method ?? 'GET',
      headers: plainHeaders(request),
      target: request.url ?? '',
      urls: this.#urlsOf(visitor),
    };
  }

  #urlsOf({ request, peerAddress, isTls }: Visitor): readonly string[] {
    const isBelieved = this.#options.proxies.isTrusted(peerAddress);
    const headers = plainHeaders(request);
    const dialled = {
      target: request.url ?? '',
      isTls,
      host: headers['host'],
      forwardedProto: isBelieved ? firstOf(headers['x-forwarded-proto']) : undefined,
      forwardedHost: isBelieved ? firstOf(headers['x-forwarded-host']) : undefined,
    };
    return dialledUrlsOf(dialled, this.#options.publicMediaUrls);
  }

  async #recogniseResume(token: string, dialect: Dialect | undefined): Promise<Welcome | Refusal> {
    const { clock, resumeTokens, resumes } = this.#options;
    const claims = resumeTokens.verify(token, clock.unixMs());
    if (claims === undefined || claims.dialect !== dialect?.name) return WRONG_PROOF;
    const resumption = await resumes?.resume(claims);
    if (resumption === undefined) return refuse('call_not_found', 'the call is not known, or has ended');
    if ('type' in resumption) return resumption;
    const { caller, arrive, prepare } = resumption;
    return { caller, tokenId: null, resumeToken: token, arrive, prepare };
  }

  readonly #arrive: Arrivals['arrive'] = (arrival, nowMs) => this.#options.arrivals.arrive(arrival, nowMs);
}

/** The subprotocol to answer with; null for none, undefined where nothing that was offered will do. */
function selectSubprotocol(upgrade: UpgradeRequest, known: readonly string[]): string | null | undefined {
  const { subprotocols: offered, offeredToken } = upgrade;
  const common = known.find((name) => offered.includes(name));
  if (common !== undefined) return common;
  if (offered.length === 0) return offeredToken ?? null;
  // Providers whose protocol has none may still offer a name and want it back (dialects.md §0.4).
  return known.length === 0 ? offered[0]! : undefined;
}

function callerOf({ workspaceId, agentId, testMode, id: credentialId }: DoorCredential): Caller {
  return { ...NEWCOMER, workspaceId, agentId, testMode, credentialId };
}

// Node gives lists only for headers that may be repeated; no proof is one of them.
function plainHeaders(request: IncomingMessage): { readonly [name: string]: string | undefined } {
  const plain = Object.entries(request.headers).filter(([, value]) => !Array.isArray(value));
  return Object.fromEntries(plain) as { readonly [name: string]: string | undefined };
}

function firstOf(list: string | undefined): string | undefined {
  return list?.split(',')[0]!.trim();
}
