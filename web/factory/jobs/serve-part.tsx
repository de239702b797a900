/**
 * Section "Serve it" of a registered job: its owner has the factory answer for the model, and closes epochs so that payments are
 * divided. Amounts are in wei.
 */
import type { LedgerModelLeaf } from "@openledger/client/sequencer/model-schemas";
import { closeModelEpoch } from "@openledger/client/tasks/close-epoch";
import { findServedLocations } from "../../ask/served-models.ts";
import { Badge } from "../../design/badge.tsx";
import { Button } from "../../design/button.tsx";
import { useAction } from "../../ledger/use-action.ts";
import { useAnswer } from "../../ledger/use-answer.ts";
import { showCount } from "../../words/format.ts";
import { leafLabel } from "../../words/leaf-names.ts";
import { Open } from "../../words/open.tsx";
import { ProblemNotice } from "../../words/problem.tsx";
import { Term } from "../../words/term.tsx";
import type { JobPartProps } from "./job-part.ts";

interface ServePartProps extends JobPartProps {
  readonly leaf: LedgerModelLeaf;
}

/** Switch that serves a registered model to everybody, and the payment of its earnings. */
export function ServePart(props: ServePartProps) {
  const { query, factorySession, job, leaf, live, site } = props;
  const switching = useAction();
  const { value: isElsewhere } = useAnswer(live, `servers of ${leaf.id}`, async () =>
    (await findServedLocations({ ...site, factoryUrl: null })).places.some(
      ({ modelId }) => modelId === leaf.id,
    ),
  );
  const serve = (isServed: boolean) =>
    switching.run(async () => {
      query.set(await factorySession.factory.serve(job.id, isServed));
      live.ring();
    });
  return (
    <section class="card stack" aria-label="Serve">
      <div class="row">
        <h2>Serve the model</h2>
        <span class="push" />
        {job.isServed && <Badge tone="good">served here</Badge>}
      </div>
      {job.isServed ? (
        <p>
          Anyone can <a href={`#/ask/${leaf.id}`}>ask {leafLabel(leaf.id, "model")}</a> and pay for its
          answers. Each payment is divided among the people whose rows were used.
        </p>
      ) : isElsewhere === true ? (
        <p>
          Another server already serves it: <a href={`#/ask/${leaf.id}`}>ask {leafLabel(leaf.id, "model")}</a>
          .
        </p>
      ) : (
        <p>
          This factory can serve the model, so that anyone can ask it. It keeps the answers until their
          payments are settled.
        </p>
      )}
      {switching.problem !== null && <ProblemNotice problem={switching.problem} />}
      <div class="row">
        {job.isServed ? (
          <Button isSmall isBusy={switching.isBusy} onClick={() => void serve(false)}>
            Stop serving
          </Button>
        ) : (
          <Button isMain isBusy={switching.isBusy} onClick={() => void serve(true)}>
            {switching.isBusy ? "Starting …" : "Serve here"}
          </Button>
        )}
      </div>
      {job.isServed && <PayOut {...props} />}
    </section>
  );
}

/** The owner's key closes an epoch; the factory then proves and sends its settlement. */
function PayOut({ factorySession, leaf, live }: ServePartProps) {
  const closing = useAction();
  const { closedEpoch, counters, id: modelId, openAmountWei } = leaf;
  const { cap, epoch, paymentCount } = counters;
  const close = () =>
    closing.run(async () => {
      await closeModelEpoch(factorySession.client, { modelId });
      live.ring();
    });
  return (
    <div class="stack-s">
      <h3>
        <Term name="epoch">Epoch</Term> {showCount(epoch)}
      </h3>
      {closedEpoch !== null ? (
        <p>
          <Badge tone="wait">being settled</Badge> Epoch {showCount(closedEpoch.epoch)} is closed with{" "}
          <Open wei={closedEpoch.amountWei} />. Ethereum's randomness draws payments, and this factory proves
          who earns what. This takes a minute or two.
        </p>
      ) : (
        <p class="soft">
          {paymentCount === 0
            ? "No answer has been paid in it yet."
            : `${showCount(paymentCount)} of at most ${showCount(cap)} answers paid:`}{" "}
          {paymentCount > 0 && <Open wei={openAmountWei} />}
        </p>
      )}
      {closedEpoch === null && paymentCount > 0 && (
        <div class="row">
          <Button isMain isSmall isBusy={closing.isBusy} onClick={() => void close()}>
            Pay it out
          </Button>
          <span class="soft small">
            Closes the epoch: its payments are divided, and everyone can claim their share.
          </span>
        </div>
      )}
      {closing.problem !== null && <ProblemNotice problem={closing.problem} />}
    </div>
  );
}
