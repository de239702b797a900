/**
 * Notice of the versions tab that the host does not have the list of the present version, as where the publisher's page was closed between
 * the ledger and the host. The page brings a list that this browser has by itself; the button also makes it again.
 */
import type { LedgerClient } from "@openledger/client/ledger-client";
import { useEffect, useState } from "preact/hooks";
import { Button } from "../../design/button.tsx";
import { Notice } from "../../design/notice.tsx";
import { isOwnKey, type TabProps } from "../../hosts/tab-props.ts";
import { useAction } from "../../ledger/use-action.ts";
import { ProblemNotice } from "../../words/problem.tsx";
import { bringAgain, bringStored } from "./version-work.ts";

/** Pause between two tries that nobody has asked for. */
const RETRY_MS = 15_000;

/** Button that brings the list again. Anybody may: the host checks it against the ledger. */
export function BringList(props: TabProps & { readonly client: LedgerClient }) {
  const { client, facts, live, onChange, place, site } = props;
  const [progress, setProgress] = useState("");
  const { isBusy, problem, run } = useAction();
  const { rowsRoot, version } = facts.ledger;
  const from = isOwnKey(props) ? facts.id : client.leafId!;
  useEffect(() => {
    let nextMs = 0;
    return live.untilDone(async () => {
      if (Date.now() < nextMs) throw new Error("it is too early");
      nextMs = Date.now() + RETRY_MS;
      await bringStored(client, { ...place, from }, BigInt(rowsRoot));
      onChange();
    });
  }, [rowsRoot, client.leafId]);
  const bring = () =>
    run(async () => {
      try {
        const work = { ...place, from, mirrorUrls: site.datanetHosts, onProgress: setProgress };
        await bringAgain(client, work);
      } finally {
        setProgress("");
        onChange();
      }
    });
  return (
    <Notice tone="wait" title={`The host does not have the list of version ${version} yet.`}>
      <p>
        The ledger has the version, and nobody can read or train on it until the list is at the host. If this
        browser has published it, this page keeps trying.
      </p>
      <div class="row">
        <Button isSmall isBusy={isBusy} onClick={() => void bring()}>
          {isBusy ? "Working …" : "Bring the list again"}
        </Button>
        {progress !== "" && (
          <span class="soft small" role="status">
            {progress} …
          </span>
        )}
      </div>
      {problem !== null && <ProblemNotice problem={problem} />}
    </Notice>
  );
}
