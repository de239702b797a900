import type { SourceFile } from "./tree.ts";

/**
 * The files that a reader passes who follows one story, in its order. A file that is gone or moved has to be replaced by
 * where the story goes now.
 */
const WALKS = {
  /**
   * A false row of a language model: posted, watched, played, refuted. A look takes back what L1 owes before it watches: the reward is
   * the next look's.
   */
  falseRow: `
    scripts/commands/disputes/disputes-commit-model.ts challenger/playing/text-model-commitments.ts
    challenger/playing/opened-models.ts challenger/games/claims/traced-text.ts challenger/trace/record-pass.ts
    challenger/games/rows/text-model-commitment.ts challenger/statements/committed-model.ts challenger/statements/leaf-tree.ts
    challenger/games/rows/text-calls.ts challenger/playing/trace-sender.ts contracts/disputes/ModelCommitments.sol
    scripts/commands/disputes/challenger-command.ts scripts/commands/disputes/run-challenger.ts challenger/challenger.ts
    challenger/model-commitments/registry.ts challenger/games/trace-contracts.ts
    challenger/playing/play-games.ts challenger/games/read-games.ts challenger/games/game-events.ts challenger/events/event-log.ts
    challenger/playing/withdraw.ts challenger/playing/watch-registry.ts challenger/model-commitments/read-windows.ts
    challenger/model-commitments/read-model-commitments.ts challenger/challenger-state.ts challenger/challenger-thread.ts
    challenger/challenger-worker.ts challenger/playing/recompute.ts challenger/playing/published-files.ts
    attribution/model/model-download.ts attribution/model/verify-model.ts
    models/registered/text-family.ts models/registered/text-training.ts
    challenger/model-commitments/watch-commitment.ts challenger/playing/text-model-commitments.ts
    challenger/model-commitments/examine-model-commitment.ts challenger/games/rows/text-faults.ts challenger/statements/find-faults.ts
    challenger/games/rows/text-row-tokens.ts challenger/statements/text-overlap.ts
    challenger/statements/tie-faults.ts challenger/model-commitments/try-challenges.ts challenger/playing/row-games.ts
    challenger/games/claims/traced-text.ts challenger/games/trace-player.ts
    challenger/games/trace-moves.ts challenger/trace/run-trace.ts challenger/trace/leaf-rules.ts challenger/trace/trace-tree.ts
    challenger/trace/word-tree.ts challenger/playing/trace-sender.ts challenger/sending/l1-sender.ts
    challenger/sending/l1-queue.ts contracts/disputes/LedgerTraces.sol contracts/disputes/TraceGame.sol
    contracts/disputes/TraceRules.sol contracts/disputes/TextJudge.sol contracts/disputes/ModelCommitments.sol`,
  /** A row in the page: committed, hosted, reviewed, published, trained on, registered, paid. */
  rowToPaid: `
    web/datanets/contribute/contribute-tab.tsx web/datanets/contribute/look-through.ts web/datanets/contribute/look-worker.ts
    datanets/rows/read-rows.ts datanets/cleaning/check-rows.ts web/datanets/contribute/chosen-rows.ts
    client/datanets/browse-rows.ts web/datanets/contribute/contributions.ts client/actions/data/contribute-rows.ts
    client/actions/data/row-store.ts client/actions/ledger/commit-data.ts
    client/actions/ledger/send-operation.ts sequencer/api/routes/public-routes.ts sequencer/sequencer.ts
    sequencer/batches/batch-pipeline.ts circuits/table/table-builder.ts circuits/table/slots/member-unit.circom
    circuits/ledger/version-rows.ts web/datanets/contribute/contributions.ts client/datanets/upload-rows.ts
    client/datanets/host-request.ts datanets/host/upload-routes.ts datanets/store/hosted-datanet.ts
    datanets/store/hosted-commit.ts datanets/store/row-check.ts datanets/store/ledger-view.ts
    web/datanets/rows/review-tab.tsx client/datanets/signed-records.ts datanets/host/record-routes.ts
    datanets/records/record-state.ts web/datanets/versions/version-publish.tsx web/datanets/versions/version-work.ts
    client/datanets/reviewed-version.ts client/actions/data/contribute-rows.ts
    client/actions/ledger/datanet-operations.ts client/actions/ledger/send-operation.ts circuits/batch/slot.ts
    circuits/ledger/version-rows.ts web/factory/form/form-page.tsx models/factory/factory-client.ts
    models/factory/routes/job-routes.ts models/factory/store/job-runner.ts models/factory/tasks/child-task.ts
    models/factory/tasks/train-task.ts client/datanets/upload-rows.ts models/factory/store/dataset-store.ts
    models/registered/text-training.ts models/training/tune-adapter.ts
    models/influence/gradient-coordinates.ts attribution/features/quantise.ts
    attribution/model/registration.ts models/factory/register-job.ts models/factory/tasks/activation-task.ts
    models/settling/sign-settlement.ts web/factory/jobs/register-part.tsx client/actions/ledger/model-operations.ts
    client/actions/ledger/model-operations.ts models/serving/serving-app.ts models/paid/paid-models.ts
    models/paid/ledger-billing.ts web/ask/ask-page.tsx client/actions/answers/ask-model.ts
    client/actions/answers/ask-model.ts client/actions/ledger/pay-inference.ts
    models/settler/auto-settle.ts models/settling/prepare-settlement.ts
    circuits/settlement/settlement-rules.ts models/settling/prove-settlement.ts
    client/actions/l1/send-settlement.ts sequencer/batches/settling/settlement-service.ts contracts/rollup/settlements/Settlements.sol
    web/earnings/earnings-page.tsx client/actions/ledger/reward-operations.ts`,
  /** A query: answered, paid, closed, settled, claimed. */
  queryToClaim: `
    scripts/commands/models/model-ask-command.ts scripts/commands/models/model-ask.ts scripts/cli/context.ts
    client/actions/answers/ask-model.ts client/actions/answers/sign-question.ts
    client/actions/answers/model-answers.ts attribution/server/model-routes.ts
    attribution/server/answer-service.ts attribution/server/ledger-view.ts attribution/model/answering-part.ts
    attribution/model/direct/direct-inputs.ts attribution/server/answer-store.ts circuits/ledger/model-query.ts
    attribution/scores/attribution-estimate.ts client/actions/answers/check-answer.ts
    scripts/commands/models/model-ask.ts attribution/model/model-directory.ts
    client/actions/answers/ask-model.ts client/actions/answers/check-answer.ts
    client/actions/ledger/pay-inference.ts client/actions/ledger/send-operation.ts
    client/sequencer/sequencer-request.ts sequencer/api/routes/public-routes.ts sequencer/sequencer.ts
    sequencer/intake/operation-policy.ts sequencer/intake/signature-pool.ts sequencer/batches/batch-pipeline.ts
    sequencer/batches/head-state.ts circuits/table/table-builder.ts circuits/batch/slot.ts
    attribution/server/payment-watcher.ts models/settler/start-settling.ts models/settler/auto-settle.ts
    client/actions/ledger/reward-operations.ts client/actions/ledger/send-operation.ts sequencer/api/routes/public-routes.ts
    sequencer/intake/posted-first.ts circuits/batch/epoch-operations.ts contracts/rollup/Rollup.sol
    contracts/rollup/settlements/Settlements.sol bridge/operator/watching/randomness-watcher.ts contracts/rollup/settlements/Randomness.sol
    bridge/operator/operator-client.ts sequencer/batches/from-l1/epoch-close-on-l1.ts models/settler/auto-settle.ts
    models/settling/prepare-settlement.ts circuits/settlement/settlement-split.ts models/settling/model-openings.ts
    circuits/settlement/settlement-rules.ts circuits/settlement/settled-model.ts
    models/settling/prove-settlement.ts circuits/settlement/settlement-inputs.ts prover/proving/prover.ts
    models/settling/sign-settlement.ts client/actions/l1/send-settlement.ts sequencer/api/routes/model-routes.ts
    sequencer/batches/settling/settlement-service.ts verifier/replay/settlement-statement.ts
    sequencer/batches/batch-pipeline.ts circuits/batch/settlement-slot.ts contracts/rollup/settlements/Settlements.sol
    contracts/rollup/settlements/SettlementElements.sol scripts/commands/rewards/rewards-command.ts
    client/actions/ledger/reward-operations.ts client/actions/ledger/send-operation.ts
    circuits/batch/epoch-operations.ts`,
} as const;
type WalkName = keyof typeof WALKS;
export type Walks = Record<WalkName, number>;

const stopsOf = (name: WalkName): string[] => WALKS[name].trim().split(/\s+/);
const NAMES = Object.keys(WALKS) as WalkName[];

/** How often each story goes on in another workspace. */
export function walkChanges(): Walks {
  const changes = NAMES.map((name) => {
    const folders = stopsOf(name).map((path) => path.split("/")[0]);
    return [name, folders.filter((folder, i) => i > 0 && folder !== folders[i - 1]).length];
  });
  return Object.fromEntries(changes) as Walks;
}

/** Files of the stories that are not there. */
export const lostStops = (tree: ReadonlyMap<string, SourceFile>): string[] =>
  NAMES.flatMap((name) => stopsOf(name).filter((path) => !tree.has(path)));
