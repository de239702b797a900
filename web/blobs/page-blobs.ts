/**
 * Reads blobs (batches' data beside Ethereum's transactions) for a page, from archives and beacon nodes, and checks them. That
 * a blob has the posted value at z is not enough for anyone who reads it later: z is known by then, and anybody can make
 * another blob with that value. So the whole commitment is made again, in a worker: a full blob takes seconds.
 */
import { peerProvider } from "@openledger/bridge/blobs/archive-providers";
import { BeaconNode } from "@openledger/bridge/blobs/beacon-node";
import { BlobFinder } from "@openledger/bridge/blobs/blob-finder";
import type { BlobRequest, BlobSource, VersionedHash } from "@openledger/bridge/blobs/blob-source";
import type { BlobAnswer, BlobTask } from "./blob-messages.ts";

export interface PageBlobsOptions {
  /** URLs of sequencers and full nodes. */
  readonly archives: readonly string[];
  readonly beacons?: readonly string[];
  /** Runs `blob-worker.ts`. */
  readonly startWorker: () => Promise<Worker>;
  /** Remedy on this page for anyone who misses a blob. */
  readonly remedy: string;
}

/** The worker starts with the first blob, and stays until `end`. */
export class PageBlobs implements BlobSource {
  readonly #finder: BlobFinder;
  readonly #startWorker: () => Promise<Worker>;
  #worker: Worker | null = null;
  #checked: Promise<unknown> = Promise.resolve();
  #isOver = false;
  /** Number of times that it was ended. */
  #ended = 0;
  /** Rejects the request that waits for the worker. */
  #giveUp: (error: Error) => void = () => {};
  /** Called with the present activity, in words. */
  onProgress: (text: string) => void = () => {};

  constructor({ archives, beacons = [], remedy, startWorker }: PageBlobsOptions) {
    this.#startWorker = startWorker;
    this.#finder = new BlobFinder({
      archive: null,
      providers: [
        ...archives.map((url) => peerProvider(url)),
        ...beacons.map((url) => new BeaconNode({ url })),
      ],
      check: (bytes, versionedHash) => this.#check({ bytes, versionedHash }),
      remedy,
    });
  }

  /** @throws as BlobSource's; without a code if the worker ended */
  coefficients(target: BlobRequest): Promise<bigint[]> {
    this.onProgress(`fetching the blob of batch ${target.batchNumber}`);
    return this.#finder.coefficients(target);
  }

  /** Nobody waits for blobs any more. */
  close(): void {
    this.#isOver = true;
    this.end();
  }

  /** Ends the worker and its work. The next blob starts another. */
  end(why = "it was ended"): void {
    this.#ended++;
    this.#worker?.terminate();
    this.#worker = null;
    this.#giveUp(new Error(`the worker that checks blobs has not answered: ${why}`));
  }

  /** Checks blobs, one at a time. */
  #check(task: { bytes: Uint8Array; versionedHash: VersionedHash }): Promise<bigint[] | null> {
    const answer = this.#checked.then(() => this.#ask(task));
    this.#checked = answer.catch(() => {});
    return answer;
  }

  async #start(): Promise<Worker> {
    const before = this.#ended;
    const worker = this.#isOver ? null : await this.#startWorker();
    if (worker === null || this.#ended !== before) {
      worker?.terminate();
      throw new Error("the worker that checks blobs was ended");
    }
    this.#worker = worker;
    return worker;
  }

  async #ask(task: BlobTask): Promise<bigint[] | null> {
    this.onProgress("computing the blob's commitment, some seconds");
    const worker = this.#worker ?? (await this.#start());
    return new Promise<bigint[] | null>((settle, fail) => {
      worker.onmessage = ({ data }: MessageEvent<BlobAnswer>) => {
        if (data.kind === "checked") settle(data.coefficients);
        else fail(new Error(data.message));
      };
      worker.onerror = ({ message }) => this.end(message);
      this.#giveUp = fail;
      worker.postMessage(task);
    });
  }
}
