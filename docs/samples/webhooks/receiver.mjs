// A receiver of Switchyard's webhooks: Node 18 or later, no packages.
//
//   WEBHOOK_SECRETS="whsec_…" PORT=8080 node receiver.mjs
//
// While a secret is being exchanged name both, with a space between. WEBHOOK_TOLERANCE is by how many
// seconds a message may be older or newer than now: 300.

import { createHmac, timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";

const SECRETS = (process.env.WEBHOOK_SECRETS ?? "").split(" ").filter(Boolean);
const TOLERANCE = Number(process.env.WEBHOOK_TOLERANCE ?? 300);

/** Whether one of our secrets signed these bytes, and not long ago. */
function verified(headers, body) {
  const id = headers["webhook-id"] ?? "";
  const timestamp = headers["webhook-timestamp"] ?? "";
  const given = (headers["webhook-signature"] ?? "").split(" ");
  if (!id || !/^[0-9]+$/.test(timestamp)) return false;
  if (Math.abs(Date.now() / 1000 - Number(timestamp)) > TOLERANCE) return false;
  return SECRETS.some((secret) => {
    const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
    const wanted = createHmac("sha256", key)
      .update(`${id}.${timestamp}.`)
      .update(body)
      .digest();
    return given.some((one) => {
      const [version, signature] = one.split(",");
      if (version !== "v1" || !signature) return false;
      const bytes = Buffer.from(signature, "base64");
      return bytes.length === wanted.length && timingSafeEqual(bytes, wanted);
    });
  });
}

/** Keep it, and do the work afterwards. Yours: a table with a unique key of the id. */
const seen = new Map();
function keep(id, event) {
  if (!seen.has(id)) seen.set(id, event);
}

const server = createServer((request, response) => {
  const parts = [];
  request.on("data", (part) => parts.push(part));
  request.on("end", () => {
    const body = Buffer.concat(parts); // The bytes as they came: parsed and written again, they differ.
    if (!verified(request.headers, body)) return response.writeHead(401).end();
    keep(request.headers["webhook-id"], JSON.parse(body.toString("utf8")));
    return response.writeHead(204).end();
  });
});

server.listen(Number(process.env.PORT ?? 8080), "127.0.0.1", () => {
  console.log(`listening on ${server.address().port}`);
});
