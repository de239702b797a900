/**
 * Who may read the rows of a model: everybody where all of its Datanets are public; of a permissioned one its own leaf, its team, and those
 * whom its owner has granted access at the Datanet's host. Requests for rows are signed as a host's are, and questions by who pays.
 * answer-routes.ts asks it for rows, answer-service.ts for answers that are made of them.
 */

import { attributionError } from "@openledger/attribution/attribution-errors";
import { getHostedDatanet } from "@openledger/client/datanets/datanet-card";
import type { HostAccess } from "@openledger/client/datanets/host-request";
import type { HostName } from "@openledger/client/datanets/host-schemas";
import { getKeyNotice } from "@openledger/client/datanets/key-notice";
import { listAccess } from "@openledger/client/datanets/signed-records";
import { type Card, nameCard } from "@openledger/datanets/card/card";
import { datanetError } from "@openledger/datanets/datanet-errors";
import { RequestGuard } from "@openledger/datanets/host/request-guard";
import { DatabaseSessions } from "@openledger/datanets/host/request-sessions";
import { grantedUntilMs } from "@openledger/datanets/records/grants";
import { isOfTeam } from "@openledger/datanets/records/record-roles";
import { REQUEST_HEADER } from "@openledger/datanets/records/signed-request";
import { type HostLeaf, HostLedger } from "@openledger/datanets/store/ledger-view";
import type { Database } from "@openledger/foundation/database/database";
import { hex32 } from "@openledger/foundation/hex";
import { rawBodyOf } from "@openledger/foundation/http/bodies";
import { isRollupError } from "@openledger/foundation/rollup-error";
import type { Secret } from "@openledger/foundation/secret";
import type { FastifyRequest } from "fastify";

/** Time that a host has for one answer, in milliseconds. */
const REQUEST_TIMEOUT_MS = 30_000;
/** Time for which a Datanet's card is cached, in milliseconds. Grants are read each time: an owner may take one back. */
const CARD_CACHE_MS = 10_000;
const LEDGER_CACHE_MS = 2_000;

interface ReadersLocation {
  readonly datanetHosts: readonly string[];
  readonly sequencerUrl: string;
  /** Token of the sequencer operator's own servers; absent for others. */
  readonly serverToken: Secret<string> | undefined;
  readonly domain: bigint;
  readonly rollupAddress: string;
  /** Database of answers, which has the sessions of signed requests. */
  readonly database: Database;
  /** Address below which the server has its models. */
  readonly origin: () => string;
  readonly nowMs: () => number;
}

/** A model whose rows are asked for. */
interface ReadModel {
  readonly modelId: number;
  readonly datanetIds: readonly number[];
  /** Card beside the model's files, of its first Datanet: it counts where no host shows the present one, if it is that; null for none. */
  readonly ownCard: Card | null;
}

/** A Datanet of a model whose rows some leaves alone may read. */
interface ClosedDatanet {
  readonly id: number;
  /** null where the Datanet has a card by the ledger, and nobody here shows it: it may be permissioned, and nobody is known to be of its team. */
  readonly card: Card | null;
  /** Host that has it; null where none here does: nobody says who was granted access. */
  readonly hostUrl: string | null;
}

/** Guard of the requests to one server, whose models share it. */
export class RowReaders {
  readonly #location: ReadersLocation;
  readonly #reader: HostAccess;
  readonly #ledger: HostLedger;
  readonly #guard: RequestGuard;
  readonly #sessions: DatabaseSessions;
  readonly #cards = new Map<
    number,
    { readonly atMs: number; readonly found: Promise<ClosedDatanet | null> }
  >();

  constructor(position: ReadersLocation) {
    const { database, domain, nowMs, sequencerUrl, serverToken } = position;
    this.#location = position;
    const limits = { requestTimeoutMs: REQUEST_TIMEOUT_MS, serverToken };
    this.#reader = { sequencerUrl, domain, ...limits, l2Key: null, leafId: null };
    this.#sessions = new DatabaseSessions(database);
    this.#ledger = new HostLedger({ sequencerUrl, serverToken, cacheMs: LEDGER_CACHE_MS }, nowMs);
    this.#guard = new RequestGuard({ domain, sessions: this.#sessions, ledger: this.#ledger, nowMs });
  }

  /** Names by which a client signs a request for a model's rows. */
  async infoOf(modelId: number): Promise<HostName> {
    const { domain, rollupAddress } = this.#location;
    const session = await this.#sessions.current();
    return { origin: this.#originOf(modelId), session, domain: hex32(domain), rollupAddress };
  }

  /**
   * Passes if the request may read the rows of a model.
   * @throws DNT_REQUEST_UNSIGNED, DNT_ACCESS_NOT_GRANTED, DNT_KEY_NOTICE and what else `RequestGuard.signer` throws; ATT_SERVER_UNREACHABLE
   *   where a host says neither yes nor no; as a host refuses
   */
  async require(request: FastifyRequest, model: ReadModel): Promise<void> {
    const closed = await this.#closedOf(model);
    if (closed.length === 0) return;
    const { id } = await this.#signer(request, model.modelId, closed[0]!.id);
    for (const datanet of closed) await this.#requireGrant(datanet, id);
  }

  /**
   * Passes if a leaf may read the rows of a model. @param leafId leaf that has signed what it asks
   * @throws DNT_ACCESS_NOT_GRANTED, DNT_KEY_NOTICE, ATT_SERVER_UNREACHABLE where a host says neither yes nor no; as a host refuses
   */
  async requireLeaf(leafId: number, model: ReadModel): Promise<void> {
    for (const datanet of await this.#closedOf(model)) await this.#requireGrant(datanet, leafId);
  }

  async #closedOf({ datanetIds, ownCard }: ReadModel): Promise<ClosedDatanet[]> {
    const closed: ClosedDatanet[] = [];
    for (const [position, id] of datanetIds.entries()) {
      const found = await this.#closed(id, position === 0 ? ownCard : null);
      if (found !== null) closed.push(found);
    }
    return closed;
  }

  async #signer(request: FastifyRequest, modelId: number, datanetId: number): Promise<HostLeaf> {
    const header = request.headers[REQUEST_HEADER];
    if (typeof header !== "string")
      throw datanetError(
        "DNT_REQUEST_UNSIGNED",
        `Datanet ${datanetId} is permissioned: requests for its rows are signed`,
        { data: { datanetId } },
      );
    const path = request.url.slice(`/${modelId}`.length);
    const { method } = request;
    return this.#guard.signer(
      { origin: this.#originOf(modelId), method, path, body: rawBodyOf(request) },
      header,
    );
  }

  #originOf(modelId: number): string {
    return `${this.#location.origin()}/${modelId}`;
  }

  /** @throws DNT_ACCESS_NOT_GRANTED, DNT_KEY_NOTICE, ATT_SERVER_UNREACHABLE, as the host refuses */
  async #requireGrant({ card, hostUrl, id: datanetId }: ClosedDatanet, leafId: number): Promise<void> {
    const isGranted = async () => {
      if (leafId === datanetId || (card !== null && isOfTeam(card, leafId))) return true;
      if (hostUrl === null) return false;
      // Grants that the Datanet's key has signed, by the ledger: a host's word alone opens nothing here.
      const { requests } = await listAccess(this.#reader, { datanetId, hostUrl }).catch(unknown(hostUrl));
      const nowMs = this.#location.nowMs();
      const answered = requests.map(({ answer, leafId: asker }) => ({
        leafId: asker,
        answer: answer === null ? null : { ...answer, atMs: answer.answeredAtMs },
      }));
      return (grantedUntilMs(answered, leafId) ?? 0) > nowMs;
    };
    if (!(await isGranted()))
      throw datanetError(
        "DNT_ACCESS_NOT_GRANTED",
        `leaf ${leafId} has no access to Datanet ${datanetId}, whose rows this model has`,
        { data: { datanetId, leafId } },
      );
    const notice =
      hostUrl === null ? null : await getKeyNotice(this.#reader, { hostUrl, leafId }).catch(unknown(hostUrl));
    if (notice !== null)
      throw datanetError("DNT_KEY_NOTICE", `leaf ${leafId} reads no rows while its key is under notice`, {
        data: { leafId, untilMs: notice.untilMs },
      });
  }

  /** null for a public Datanet, and for one without a card. @throws as a host or the sequencer refuses */
  #closed(id: number, ownCard: Card | null): Promise<ClosedDatanet | null> {
    const known = this.#cards.get(id);
    const nowMs = performance.now();
    if (known !== undefined && nowMs - known.atMs < CARD_CACHE_MS) return known.found;
    const found = this.#look(id, ownCard);
    // Datanets of the models that are served: they are few.
    this.#cards.set(id, { atMs: nowMs, found });
    found.catch(() => this.#cards.delete(id));
    return found;
  }

  async #look(datanetId: number, ownCard: Card | null): Promise<ClosedDatanet | null> {
    let hostUrl: string | null = null;
    let silence: unknown = null;
    for (const url of this.#location.datanetHosts) {
      try {
        const { card, isCardCurrent } = await getHostedDatanet(this.#reader, { datanetId, hostUrl: url });
        if (isCardCurrent) return card.access === "public" ? null : { id: datanetId, card, hostUrl: url };
        // Attack: a host that the present card has not come to, or that holds it back, shows an earlier one: public, or of another team.
        hostUrl ??= url;
      } catch (error) {
        if (isRollupError(error, "CLI_UNREACHABLE")) {
          silence = error;
          hostUrl ??= url;
        } else if (!isRollupError(error, "DNT_NOT_HOSTED")) throw error;
      }
    }
    const { datanet } = (await this.#ledger.leaf(datanetId)) ?? {};
    const policy = datanet?.policy ?? 0n;
    // Nobody has said who may read.
    if (policy === 0n && ownCard?.access !== "permissioned") return null;
    const isOwnCurrent = ownCard !== null && (policy === 0n || nameCard(ownCard).policy === policy);
    if (isOwnCurrent && ownCard.access === "public") return null;
    if (!isOwnCurrent && silence !== null) return unknown(hostUrl!)(silence);
    // Attack: rows of a permissioned Datanet whose present card nobody here shows are given to everybody.
    return { id: datanetId, card: isOwnCurrent ? ownCard : null, hostUrl };
  }
}

/** Refuses for now where a host says neither yes nor no. @throws ATT_SERVER_UNREACHABLE, any other error as it is */
const unknown =
  (hostUrl: string) =>
  (error: unknown): never => {
    if (!isRollupError(error, "CLI_UNREACHABLE")) throw error;
    throw attributionError(
      "ATT_SERVER_UNREACHABLE",
      `the Datanet host ${hostUrl}, which says who may read the rows, does not answer`,
      { data: { hostUrl }, cause: error },
    );
  };
