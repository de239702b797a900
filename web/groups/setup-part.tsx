/** A setup that goes on: who has joined, the share to save, and the group that stands. */
import {
  type Charter,
  charterSession,
  type GroupMember,
  groupKeyX,
} from "@openledger/client/groups/group-charter";
import { takingPart } from "@openledger/client/groups/host-mailbox";
import { encodeShareFile } from "@openledger/client/groups/share-file";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { useEffect, useState } from "preact/hooks";
import { Badge } from "../design/badge.tsx";
import { Button } from "../design/button.tsx";
import { Identifier } from "../design/identifier.tsx";
import { Notice } from "../design/notice.tsx";
import { saveFile } from "../design/save-file.ts";
import { LeafLink } from "../words/links.tsx";
import { type Problem, ProblemNotice, problemOf } from "../words/problem.tsx";
import { type Seen, takePart } from "./group-setup.ts";

interface SetupPartProps {
  readonly client: LedgerClient;
  readonly hostUrl: string;
  readonly charter: Charter;
  /** The share of the set that is replaced, if this member deals it out. */
  readonly old: GroupMember | null;
}

/** Takes part in the setup while it is shown. */
export function SetupPart({ charter, client, hostUrl, old }: SetupPartProps) {
  const [seen, setSeen] = useState<Seen>(new Map());
  const [share, setShare] = useState<{ member: GroupMember; confirm: () => void } | null>(null);
  const [isSaved, setSaved] = useState(false);
  const [result, setResult] = useState<{ member: GroupMember | null } | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const session = charterSession(charter);
  useEffect(() => {
    const ending = new AbortController();
    const onShare = (member: GroupMember) =>
      new Promise<void>((confirm, refuse) => {
        ending.signal.addEventListener("abort", () => refuse(ending.signal.reason));
        setShare({ member, confirm });
      });
    takePart(client, { charter, hostUrl, old, onSeen: setSeen, onShare, signal: ending.signal }).then(
      (member) => setResult({ member }),
      (error: unknown) => !ending.signal.aborted && setProblem(problemOf(error)),
    );
    return () => ending.abort();
  }, [session]);
  const save = (member: GroupMember) => {
    const name = `share-${charter.name.replace(/\W+/g, "-")}-${member.keyX.slice(2, 10)}.json`;
    saveFile(name, new TextEncoder().encode(encodeShareFile(member, hostUrl)));
    setSaved(true);
  };
  return (
    <section class="card stack" aria-label="Setup">
      <h2>{charter.name}</h2>
      {result === null && problem === null && (
        <p role="status">
          {share === null
            ? "Waits until everyone has joined. Keep this page open: its secrets are in its memory."
            : isSaved
              ? "Waits for the others' confirmations."
              : "Save your share, then confirm."}
        </p>
      )}
      <ul>
        {takingPart(charter).map((keyX) => {
          const leafId = charter.members.find((member) => member.keyX === keyX)?.leafId;
          return (
            <li key={keyX}>
              {leafId === undefined ? <code>{keyX.slice(0, 10)}…</code> : <LeafLink id={leafId} />}{" "}
              <Badge tone={seen.has(keyX) ? "good" : "wait"}>
                {seen.has(keyX) ? "joined" : "not here yet"}
              </Badge>
            </li>
          );
        })}
      </ul>
      {share !== null && result === null && problem === null && (
        <Notice tone="wait" title="Your share of the key">
          <p>
            The file is a secret, and this page forgets it. Save it where others cannot read it, and keep a
            copy that is not online. Whoever has {charter.threshold} shares has the key.
          </p>
          <div class="row">
            <Button isMain={!isSaved} onClick={() => save(share.member)}>
              Save the share
            </Button>
            <Button isMain={isSaved} isDisabled={!isSaved} onClick={share.confirm}>
              I have saved it
            </Button>
          </div>
        </Notice>
      )}
      {result !== null && <Standing charter={charter} member={result.member} onSave={save} />}
      {problem !== null && <ProblemNotice problem={problem} />}
    </section>
  );
}

interface StandingProps {
  readonly charter: Charter;
  /** Null for a dealer who is no member of the new set. */
  readonly member: GroupMember | null;
  readonly onSave: (member: GroupMember) => void;
}

function Standing({ charter, member, onSave }: StandingProps) {
  return (
    <Notice tone="good" title="The group stands">
      {member === null ? (
        <p>You have dealt your share out to the new set.</p>
      ) : (
        <>
          <p>
            {charter.threshold} of {charter.members.length} sign for key{" "}
            <Identifier value={groupKeyX(member.keys)} label="the group's key" />. Open a Datanet with it:{" "}
            <code>openledger datanet create --key KEY</code>
          </p>
          <p>
            Save the finished file in place of the first one, which lacks the others' confirmations: the host
            has these for eight days.
          </p>
          <div class="row">
            <Button isMain onClick={() => onSave(member)}>
              Save the finished file
            </Button>
          </div>
        </>
      )}
      {charter.previous !== null && (
        <p>Delete the file of your old share, and its copies: as many old shares as signed still sign.</p>
      )}
    </Notice>
  );
}
