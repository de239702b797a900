/** Cache of a host's parsed cards, by their hash; a card that is not in it is read from the database. */
import type { Database } from "@openledger/foundation/database/database";
import type { Queries } from "@openledger/foundation/database/queries";
import { LRUCache } from "lru-cache";
import { type NamedCard, readCard } from "../card/card.ts";

/** Cards that are parsed, by their hash. */
const MAX_CARDS = 200;

/** Cards as they are in the database: one with a hash never changes. */
export class CardCache {
  readonly database: Database;
  readonly #cards = new LRUCache<string, NamedCard>({ max: MAX_CARDS });

  constructor(database: Database) {
    this.database = database;
  }

  /** A card by its hash; null if the host does not have it. @param policy 0x-hex of 32 bytes */
  async card(datanetId: number, policy: string, queries: Queries = this.database): Promise<NamedCard | null> {
    const known = this.#cards.get(`${datanetId} ${policy}`);
    if (known !== undefined) return known;
    const [found] = await queries.query<{ card: string }>(
      "select card from cards where datanet_id = $1 and policy = $2 limit 1",
      [datanetId, policy],
    );
    if (found === undefined) return null;
    const card = readCard(found.card);
    this.#cards.set(`${datanetId} ${policy}`, card);
    return card;
  }
}
