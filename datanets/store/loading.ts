import { datanetError } from "../datanet-errors.ts";

/** Stage of a started host's read-back: places of rows and records first, then the words of all rows. */
type LoadStage = "rows" | "words";

/** Progress of a Datanet's read-back. Until it is done, only requests that need the rest are refused. */
export class Loading {
  readonly #datanetId: number;
  /** A Datanet that came since the start has nothing to read. */
  stage: LoadStage | null = null;
  done = 0;
  total = 0;

  constructor(datanetId: number) {
    this.#datanetId = datanetId;
  }

  begin(stage: LoadStage, total: number): void {
    this.stage = stage;
    this.done = 0;
    this.total = total;
  }

  end(): void {
    this.stage = null;
  }

  /** @throws DNT_LOADING if the stage is not done */
  require(needed: LoadStage): void {
    const { done, stage, total } = this;
    if (stage === null || (needed === "rows" && stage === "words")) return;
    const datanetId = this.#datanetId;
    throw datanetError(
      "DNT_LOADING",
      `the host has started and reads the ${stage} of Datanet ${datanetId}: ${done} of ${total}`,
      {
        data: { datanetId, stage, done, total },
      },
    );
  }
}
