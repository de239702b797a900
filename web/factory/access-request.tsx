/**
 * Form on the factory's page of a permissioned Datanet: a model builder asks the Datanet's owner for its rows, and waits for the
 * answer. The request is a signed record.
 */
import type { HostedDatanetLocation } from "@openledger/client/datanets/host-request";
import type { HostedDatanetFacts } from "@openledger/client/datanets/host-schemas";
import type { AccessList } from "@openledger/client/datanets/signed-records";
import { sayRecords } from "@openledger/client/datanets/signed-records";
import { RollupError } from "@openledger/foundation/rollup-error";
import { useState } from "preact/hooks";
import { Button } from "../design/button.tsx";
import { Field } from "../design/field.tsx";
import { Notice } from "../design/notice.tsx";
import { useAction } from "../ledger/use-action.ts";
import { showAge, showCount, showCounted } from "../words/format.ts";
import { ProblemNotice } from "../words/problem.tsx";
import type { FactorySession } from "./factory-session.ts";

interface AccessRequestProps {
  readonly factorySession: FactorySession;
  readonly place: HostedDatanetLocation;
  /** The reader's last request; null if there is none. */
  readonly mine: AccessList[number] | null;
  readonly summary: HostedDatanetFacts["access"];
  readonly onAsked: () => void;
}

/** Shortest purpose that can be sent. */
const MIN_CHARACTERS = 10;

/** Asks a Datanet's owner with a purpose, and shows the answer when it comes. */
export function AccessRequest({ factorySession, mine, onAsked, place, summary }: AccessRequestProps) {
  const [purpose, setPurpose] = useState("");
  const asking = useAction();
  const ask = () =>
    asking.run(async () => {
      const records = [{ kind: "accessRequest" as const, purpose: purpose.trim() }];
      const [result] = await sayRecords(factorySession.client, {
        ...place,
        from: factorySession.leafId,
        records,
      });
      const { error } = result!;
      if (error !== null) throw new RollupError(error.code, error.message);
      onAsked();
    });
  if (mine !== null && mine.answer === null) {
    return (
      <>
        <Notice tone="info" title="Your request is with the owner.">
          <p>
            Sent {showAge(mine.askedAtMs, Date.now())}: “{mine.purpose}”
          </p>
        </Notice>
        <p class="soft small" role="status">
          This page checks every two seconds. You can close it: your request stays.
        </p>
      </>
    );
  }
  return (
    <form
      class="stack"
      onSubmit={(event) => {
        event.preventDefault();
        void ask();
      }}
    >
      {mine?.answer != null && (
        <Notice
          tone="wait"
          title={
            mine.answer.answer === "refuse" ? "The owner refused your request." : "Your access has expired."
          }
        >
          <p>{mine.answer.note === "" ? "No reason was given." : mine.answer.note} You may ask again.</p>
        </Notice>
      )}
      <Field
        label="What will you use it for?"
        value={purpose}
        onInput={setPurpose}
        lineCount={3}
        help="The owner decides by this text. Requests and replies are public."
      />
      <p class="soft small">
        {summary.askedCount === 0
          ? "No requests yet."
          : `${showCounted(summary.askedCount, "request")}, ${showCount(summary.unansweredCount)} without a reply.`}
      </p>
      {asking.problem !== null && <ProblemNotice problem={asking.problem} />}
      <Button isMain type="submit" isBusy={asking.isBusy} isDisabled={purpose.trim().length < MIN_CHARACTERS}>
        Ask the owner
      </Button>
    </form>
  );
}
