/** Addresses of the factory's pages and of a job's parts: a reload comes back to the same place. */

export const FACTORY_HREF = "#/factory";

/** Choosing: rows, then what they become, then settings. */
export const NEW_HREF = "#/factory/new";
/** @param host which of the site's hosts */
export const datanetHref = (host: number, datanetId: number) => `#/factory/new/datanet/${host}/${datanetId}`;
export const useHref = (datasetId: string) => `#/factory/new/rows/${datasetId}`;
/** @param baseId null for a model that sorts */
export const formHref = (datasetId: string, baseId: string | null) =>
  `${useHref(datasetId)}/${baseId === null ? "sort" : `on/${baseId}`}`;

export const JOB_PARTS = ["watch", "compare", "register", "chat", "export", "lineage"] as const;
export type JobPart = (typeof JOB_PARTS)[number];
export const jobHref = (jobId: string, part: JobPart = "watch") =>
  part === "watch" ? `#/factory/job/${jobId}` : `#/factory/job/${jobId}/${part}`;
