import { datanetError } from "../datanet-errors.ts";

/** Stage of a started host's read-back: places of rows and records first, then the words of all rows. */
type LoadStage = "rows" | "words";

/**
 * Progress of a host's read-back of one Datanet from its folder, in rows. Until it is done, only requests that need the
 * rest are refused.
 */
export class LoadProgress {
  readonly #datanetId: number;
  /** A Datanet that came since the start has nothing to read. */
  stage: LoadStage | null = null;
  /** Rows that this stage has read. */
  doneCount = 0;
  /** Rows that this stage has to read. */
  totalCount = 0;

  constructor(datanetId: number) {
    this.#datanetId = datanetId;
  }

  begin(stage: LoadStage, totalCount: number): void {
    this.stage = stage;
    this.doneCount = 0;
    this.totalCount = totalCount;
  }

  end(): void {
    this.stage = null;
  }

  /** @throws DNT_LOADING if the stage is not done */
  require(needed: LoadStage): void {
    const { doneCount, stage, totalCount } = this;
    if (stage === null || (needed === "rows" && stage === "words")) return;
    const datanetId = this.#datanetId;
    throw datanetError(
      "DNT_LOADING",
      `the host has started and reads the ${stage} of Datanet ${datanetId}: ${doneCount} of ${totalCount}`,
      {
        data: { datanetId, stage, done: doneCount, total: totalCount },
      },
    );
  }
}
