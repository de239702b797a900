/** Page "#/groups": groups whose members own a key together are withdrawn, and what to do where one owns a leaf. */
import { groupsWithdrawn } from "@openledger/datanets/records/groups-withdrawn";
import { ProblemNotice, problemOf } from "../words/problem.tsx";

export function GroupsPage() {
  return (
    <section class="stack">
      <h1>Own a key together</h1>
      <ProblemNotice problem={problemOf(groupsWithdrawn())} />
    </section>
  );
}
