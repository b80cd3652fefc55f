/* tslint:disable */
/* eslint-disable */
/** What `begin` comes to. */
export type Begun =
/** Answer the needs, then call `decide`. */
| { kind: "needs"; handle: number; needs: Needs }
/** Refused at once: malformed, of another issuer, expired and the like. */
| { kind: "refused"; verdict: Verdict };

/** What a decision needs; answer everything at once. */
export interface Needs {
    /** Check this signature; absent for a token that was verified before. */
    signature?: SignatureNeed;
    /** Fetch the issuer's keys, hand them to `setKeys`, begin again; or decide, which then refuses the token. */
    key?: KeyNeed;
    /** The token is bound to a key: say in `confirmed` which thumbprint the presenter proved, if any. */
    proof?: ProofNeed;
    /** Fetch the records under these keys, each 32 lower-case hexadecimal digits. */
    records: string[];
}

/** A signature to check with the host's cryptography. */
export interface SignatureNeed {
    /** Identifies the key within the configuration's key epoch; equal ids are equal keys. */
    keyId: string;
    /** The key: a public JWK (JSON). */
    key: string;
    /** JWS algorithm name (RFC 7518), already checked against the allow-list and the key. */
    algorithm: string;
    /** Length in bytes of the signing input: what stands before the last dot of the token. */
    signingInput: number;
}

/** A key to fetch. */
export interface KeyNeed {
    /** The issuer, of tokens or of events, as configured. */
    issuer: string;
    /** `kid` of the token, if it has one. */
    kid?: string;
}

/** Proof of possession to check (RFC 8705, RFC 9449). */
export interface ProofNeed {
    method: "jkt" | "x5t#S256" | "unknown";
    /** The thumbprint that has to be proved. */
    thumbprint: string;
}

/**
 * What a store said about one key: the record, `null` if there is none, `"failed"` if the store did not answer.
 * Whatever else stands there (`undefined`, say) counts as failed, and the request is denied.
 */
export type RecordAnswer = Uint8Array | null | "failed";

/** How much JSON a verdict carries: `none` on the hot path, the decision, or every check and policy with it. */
export type Detail = "none" | "decision" | "explain";

/** What is rarely said about a request. */
export interface MoreAboutRequest {
    /** Authorization scheme that carried the token; absent for `Bearer`. */
    scheme?: string;
    /** Thumbprint that the presenter proved possession of. */
    confirmed?: string;
    /** Directory facts from the host, used where the token does not say. */
    facts?: DirectoryFacts;
    /** Seconds since the last sign of life of each transmitter. */
    signalAge?: readonly SignalAge[];
    /** How much of the evaluation to write into `Verdict.json`; absent for `none`. */
    detail?: Detail;
}

/** Facts that the token may lack and the host may know. An absent one is unknown, which never widens access. */
export interface DirectoryFacts {
    /** Transitive group ids. */
    memberOf?: readonly string[];
    /** Directory role template ids. */
    roles?: readonly string[];
    userType?: "member" | "guest";
    /** Microsoft Graph's `externalUserType`; comes with `userType`. */
    externalUserType?: string;
    /** Home tenant of an external user. */
    externalTenant?: string;
    /** Microsoft Graph's name of the client app type. */
    clientAppType?: string;
    /** Microsoft Graph's name of the platform. */
    platform?: string;
    /** Whether the device is compliant, as the host's device directory says. */
    deviceCompliant?: boolean;
    /** What the host's device directory says about the device: JSON text of Microsoft Graph's `deviceInfo`. */
    device?: string;
}

/** How long a transmitter has been silent. */
export interface SignalAge {
    /** Issuer URL of the transmitter. */
    issuer: string;
    seconds: number;
}

/** What `decide` comes to. */
export type Decided =
| { kind: "verdict"; verdict: Verdict }
/** The handle is unknown, or its token would not pass any more: begin again. */
| { kind: "stale" };

/** The decision on one request. */
export interface Verdict {
    /** Serve the request; answer 401 with a challenge that a later token can meet; refuse. */
    outcome: "allow" | "challenge" | "deny";
    /** HTTP status. */
    status: 200 | 400 | 401 | 403 | 503;
    /** Value of `WWW-Authenticate`, only when refusing. */
    wwwAuthenticate?: string;
    /** Stable reason codes, most decisive first; empty for a plain allow. */
    reasons: string[];
    /** State to remember: merge these before answering the client. */
    changes: Change[];
    /** The first moment, in seconds since the epoch, at which time alone can change the decision. */
    revisitAt?: number;
    /** For how many seconds this answer may be reused if no event arrives. */
    mayReuseWithoutEvents: number;
    /** The evaluation as canonical JSON, if `detail` asked for it. */
    json?: string;
}

/** Who presents a token, in the words of its issuer. */
export interface Presenter {
    /** Issuer as configured. */
    issuer: string;
    /** The user, or the service principal where an application speaks for itself. */
    subject?: string;
    /** The tenant, where one issuer has several. */
    tenant?: string;
    /** Client application id. */
    client?: string;
    /** Whether the client takes claims challenges (`cp1`). */
    capable: boolean;
}

/** One record to merge into the state. */
export interface Change {
    /** 32 lower-case hexadecimal digits. */
    key: string;
    /** Canonical record bytes, to merge with what is there. */
    record: Uint8Array;
}

/** What the host found out about the signature of a security event token. */
export type SignatureAnswer = "valid" | "invalid" | "keyUnknown";

/** What `readEvent` comes to. */
export type EventReading =
/** Check this signature, then read the same token again with the answer. */
| { kind: "needsSignature"; signature: SignatureNeed }
/** Fetch the transmitter's keys, hand them to `setKeys`, read again. */
| { kind: "needsKey"; key: KeyNeed }
/** Merge the changes, then acknowledge. `jti`: drop a repeat. `json`: the reading as canonical JSON. */
| { kind: "accepted"; transmitter: string; jti: string; changes: Change[]; json: string }
/** The state stays as it is. `code`: RFC 8935 section 2.4 or SSF 1.0 section 11. */
| { kind: "rejected"; code: string; description: string; json: string };

/** One thing that is wrong in a document. */
export interface Fault {
    /** JSON pointer (RFC 6901) to the offending value; empty for the whole document. */
    at: string;
    /** Stable code, such as `configuration.unknown_member`. */
    code: string;
    /** What is wrong and how to mend it, in one line. */
    message: string;
}

/** Thrown by `new Engine`. */
export interface ConfigurationError extends Error {
    name: "ConfigurationError";
    /** Every fault, not only the first. */
    faults: Fault[];
}

/** A Microsoft Graph policy file. */
export interface NamedText {
    /** Names the file in the answer. */
    name: string;
    /** JSON: a policy, a list of policies, or `{"value": [...]}`. */
    text: string;
}

/** A tenant's policies, and the named locations that they refer to. */
export interface Tenant {
    policies: readonly NamedText[];
    /** JSON of Microsoft Graph. */
    namedLocations?: string;
    /** JSON of `settings.applicationGroups`: members of application groups, by which those that are known are replaced. */
    applicationGroups?: string;
}

/** What a batch of sign-ins came to. */
export interface WhatIfBatch {
    /** Canonical JSON, one line for each that is not empty; of a comparison only for those whose access changes. */
    lines: string;
    /** Canonical JSON: what they come to together. */
    counts: string;
}



/**
 * One engine with its configuration and the tokens it knows by handle.
 *
 * After a `RuntimeError` (a fault in the engine) discard the whole module instance: nothing else is affected.
 */
export class Engine {
    free(): void;
    [Symbol.dispose](): void;
    /**
     * Reads a token and says what its decision needs. `now` is in seconds since the epoch; `detail` is how much
     * JSON a refusal carries.
     *
     * Throws a `TypeError` if `now` is not a time.
     */
    begin(token: string, now: number, detail?: Detail): Begun;
    /**
     * Decides one request with a token that began before.
     *
     * `signature` says whether it verifies, if that was asked; `records` holds one answer per needed record, in the
     * order of the needs.
     *
     * Throws a `TypeError` if `now` is not a time, or `more` does not have the declared shape.
     */
    decide(handle: number, now: number, clientIp: string | null | undefined, country: string | null | undefined, path: string | null | undefined, signature: boolean | null | undefined, records: readonly RecordAnswer[], more?: MoreAboutRequest): Decided;
    /**
     * Says in words what a security event token does, and whether it hits the token `against` (canonical JSON).
     * Nothing takes effect. `text` is a compact JWS, or the JSON of its payload if `unsigned`.
     *
     * Throws a `TypeError` if `receivedAt` is not a time, or `signature` is none of the declared answers.
     */
    explainEvent(text: string, unsigned: boolean, receivedAt: number, signature?: SignatureAnswer, against?: string): string;
    /**
     * Decodes a token and says what it yields and whether it is acceptable (canonical JSON).
     *
     * Throws a `TypeError` if `now` is not a time.
     */
    inspectToken(token: string, now: number): string;
    /**
     * Reads an engine configuration (JSON) and compiles its policies.
     *
     * `seed` only seeds hash tables: give each instance its own random number.
     *
     * Throws a `ConfigurationError` that lists every fault.
     */
    constructor(configuration: string, seed: bigint);
    /**
     * How many of the tokens that the engine knows the configuration in force may turn away because of what changed in
     * it: ask after `reconfigure`. Every known token is looked at.
     *
     * Throws a `TypeError` if `now` is not a time.
     */
    outdatedTokens(now: number): number;
    /**
     * Who presents a token that passed; `undefined` if the handle names none.
     */
    presenter(handle: number): Presenter | undefined;
    /**
     * Reads a security event token (compact JWS) that was received at `receivedAt`, in seconds since the epoch.
     * `signature` is the answer to `needsSignature` or `needsKey`.
     *
     * Throws a `TypeError` if `receivedAt` is not a time, or `signature` is none of the declared answers.
     */
    readEvent(set: string, receivedAt: number, signature?: SignatureAnswer): EventReading;
    /**
     * Replaces the configuration, all or nothing. No faults: it took.
     */
    reconfigure(configuration: string): Fault[];
    /**
     * Replaces the key set (RFC 7517) of an issuer or transmitter. No faults: it took.
     */
    setKeys(issuer: string, jwks: string): Fault[];
    /**
     * The issuer's end: evaluates a sign-in or a claims request (JSON in, canonical JSON out).
     */
    signIn(request: string): string;
}

/**
 * What-if over the policies of a tenant, and of an earlier state of it if two are to be compared.
 */
export class WhatIf {
    free(): void;
    [Symbol.dispose](): void;
    /**
     * The policies and, of a comparison, what became of each (canonical JSON).
     */
    describe(): string;
    /**
     * Evaluates sign-ins, one JSON object a line in the shape of Graph's What If; `firstLine` is the number of the first.
     * `counts` and, if `write`, `lines` are canonical JSON.
     *
     * Throws a `TypeError` if `firstLine` is not a whole number.
     */
    evaluate(lines: string, firstLine: number, write: boolean): WhatIfBatch;
    /**
     * Compiles a tenant: policies and named locations as Microsoft Graph exports them.
     *
     * Throws a `ConfigurationError` that lists every fault, or a `TypeError` if a tenant does not have the declared shape.
     */
    constructor(tenant: Tenant, before?: Tenant);
    /**
     * Sign-ins made up from what the policies name (canonical JSON).
     */
    representatives(): string;
}

/**
 * Reads Microsoft Graph policies and says per policy what is enforced at the resource, what only at the issuer and
 * what is not understood (canonical JSON).
 *
 * Throws a `TypeError` if `policies` does not have the declared shape.
 */
export function checkPolicies(policies: readonly NamedText[], namedLocations?: string | null, applicationGroups?: string | null): string;

/**
 * The JSON Schema of an engine configuration.
 */
export function configurationSchema(): string;

/**
 * Reads a security event token, compact JWS or the JSON of its payload if `unsigned`, without checking signature,
 * issuer and audience (canonical JSON). `receivedAt` is in seconds since the epoch.
 *
 * Throws a `TypeError` if `receivedAt` is not a time.
 */
export function decodeEvent(text: string, unsigned: boolean, receivedAt: number): string;

/**
 * Decodes an access token without a configuration (canonical JSON). `now` is in seconds since the epoch.
 *
 * Throws a `TypeError` if `now` is not a time.
 */
export function inspectToken(token: string, now: number): string;

/**
 * The named locations (Microsoft Graph JSON) that each address lies in (canonical JSON).
 */
export function matchLocations(namedLocations: string, addresses: readonly string[]): string;

/**
 * The merge of two records; `undefined` if one of them cannot be read.
 */
export function mergeRecords(a: Uint8Array, b: Uint8Array): Uint8Array | undefined;

/**
 * Decodes the value of a `WWW-Authenticate` header (canonical JSON).
 */
export function parseChallenge(header: string): string;

/**
 * The version of the engine.
 */
export function version(): string;
