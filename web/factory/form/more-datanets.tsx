/**
 * Section of the page of uses: adds the rows of further Datanets to a data set. Each approves the model, and is paid for its
 * rows.
 */

import { DATANET_COUNT_MAX } from "@openledger/circuits/protocol";
import { findDatanets } from "@openledger/client/datanets/datanet-card";
import type { FactoryDataset } from "@openledger/models/factory/factory-api";
import { useState } from "preact/hooks";
import { Button } from "../../design/button.tsx";
import { UnsignedCheck } from "../../hosts/unsigned-records.tsx";
import type { PageProps } from "../../ledger/page.ts";
import { useAction } from "../../ledger/use-action.ts";
import { useAnswer } from "../../ledger/use-answer.ts";
import { showCounted } from "../../words/format.ts";
import { ProblemNotice } from "../../words/problem.tsx";
import { useHref } from "../factory-links.ts";
import type { FactorySession } from "../factory-session.ts";

interface MoreDatanetsProps extends PageProps {
  readonly factorySession: FactorySession;
  readonly dataset: FactoryDataset;
}

/** Datanets with rows of the same kind and labels, of which each can be added. */
export function MoreDatanets({ dataset, factorySession, live, site }: MoreDatanetsProps) {
  const { datanet, further, labels, rowKind } = dataset;
  const here = datanet === null ? [] : [datanet, ...further];
  const [withoutUnsigned, setWithoutUnsigned] = useState(false);
  const adding = useAction();
  const { value: found } = useAnswer(live, `datanets like ${dataset.id}`, async () => {
    const lists = await Promise.all(
      site.datanetHosts.map(async (hostUrl) => {
        const { datanets } = await findDatanets(factorySession.client, { hostUrl });
        return datanets.map((one) => ({ ...one, hostUrl }));
      }),
    );
    return lists.flat();
  });
  const target = JSON.stringify(labels?.map(({ name }) => name) ?? []);
  const others = (found ?? []).filter(
    (one) =>
      one.rowCount > 0 &&
      one.rowKind === rowKind &&
      (labels === null || JSON.stringify(one.labels) === target) &&
      here.every(({ id }) => id !== one.id),
  );
  if (datanet === null || others.length === 0 || here.length >= DATANET_COUNT_MAX) return null;
  const add = (hostUrl: string, datanetId: number) =>
    adding.run(async () => {
      const [first, ...rest] = [
        ...here.map(({ hostUrl: url, id, version }) => ({ hostUrl: url, datanetId: id, version })),
        { hostUrl, datanetId, version: null },
      ];
      const request = { kind: "datanet", ...first!, further: rest, withoutUnsigned } as const;
      const made = await factorySession.factory.addDataset(request);
      window.location.hash = useHref(made.id);
    });
  return (
    <section class="card stack" aria-label="Further Datanets">
      <h2>Add more Datanets</h2>
      <p class="soft">
        One model can be trained on several Datanets with the same kind of row and the same labels. Each owner
        approves it, and each Datanet earns by its own rows. The rollup needs a circuit of that size.
      </p>
      <ul class="plain-list">
        {others.map(({ hostUrl, id, name, rowCount }) => (
          <li key={`${hostUrl} ${id}`} class="row">
            <span>
              {name} <span class="soft small">{showCounted(rowCount, "row")}</span>
            </span>
            <span class="push" />
            <Button isSmall isDisabled={adding.isBusy} onClick={() => void add(hostUrl, id)}>
              Add
            </Button>
          </li>
        ))}
      </ul>
      {adding.problem !== null && <ProblemNotice problem={adding.problem} />}
      <UnsignedCheck problem={adding.problem} isChecked={withoutUnsigned} onCheck={setWithoutUnsigned} />
    </section>
  );
}
