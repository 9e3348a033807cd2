// The whole loop with types that openapi-typescript has generated: `loop.js ADDRESS TOKEN TAR`; prints JSON.

import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import createClient from "openapi-fetch";
import type { paths } from "./generated.js";

const [address, token, path] = process.argv.slice(2);
const tar = readFileSync(path!);
const client = createClient<paths>({ baseUrl: address, headers: { Authorization: `Bearer ${token}` } });
const asFile = {
  body: tar as unknown as string, // the generated type of bytes
  bodySerializer: (bytes: unknown) => bytes as BodyInit,
  headers: { "Content-Type": "application/octet-stream" },
};

/** What a call answered; an error with its problem details otherwise. */
function dataOf<T>(answer: { data?: T; error?: { code?: string } }): T {
  if (answer.data === undefined) throw new Error(answer.error?.code);
  return answer.data;
}

const upload_uuid = randomUUID();
const job_uuid = randomUUID();
const inUpload = { path: { upload_uuid } };
const inJob = { path: { job_uuid } };
dataOf(await client.PUT("/api/v1/uploads/{upload_uuid}", { params: inUpload, body: { name: "photos" } }));
dataOf(
  await client.PUT("/api/v1/uploads/{upload_uuid}/shards/{seq}", { params: { path: { upload_uuid, seq: 0 } }, ...asFile }),
);
dataOf(await client.POST("/api/v1/uploads/{upload_uuid}/complete", { params: inUpload, body: { n_shards: 1 } }));
let job = dataOf(await client.PUT("/api/v1/jobs/{job_uuid}", { params: inJob, body: { upload: upload_uuid } }));
while (job.state !== "done" && job.state !== "failed") {
  await new Promise((resolve) => setTimeout(resolve, 200));
  job = dataOf(await client.GET("/api/v1/jobs/{job_uuid}", { params: inJob }));
}
const results = dataOf(await client.GET("/api/v1/jobs/{job_uuid}/results", { params: inJob })).items;
const image_id = results[0]!.image_id;
dataOf(await client.POST("/api/v1/labels", { body: { items: [{ image_id, label: "dog" }] } }));
const labels = dataOf(await client.GET("/api/v1/images/{image_id}/labels", { params: { path: { image_id } } })).items;
const csv = dataOf(
  await client.GET("/api/v1/jobs/{job_uuid}/export.csv", { params: inJob, parseAs: "text" }),
);
const parquet = dataOf(
  await client.GET("/api/v1/jobs/{job_uuid}/export.parquet", { params: inJob, parseAs: "arrayBuffer" }),
);
const archive = dataOf(await client.POST("/api/v1/archives", { params: { query: { name: "archive" } }, ...asFile }));
const unknown = await client.GET("/api/v1/jobs/{job_uuid}", { params: { path: { job_uuid: randomUUID() } } });
console.log(
  JSON.stringify({
    state: job.state,
    n_images: job.counts.n_images,
    paths: results.map((result) => result.path),
    label: labels[0]!.label,
    csv,
    parquet: Buffer.from(parquet).subarray(0, 4).toString(),
    archive: archive.name,
    unknown: unknown.error?.code,
  }),
);
