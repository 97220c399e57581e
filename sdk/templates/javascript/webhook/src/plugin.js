// Turns signed alerts into records, each alert into one, however often it is sent. The sender puts
// `sha256=` and the hexadecimal HMAC-SHA-256 of the body into the header `x-signature`.

import { commands, signing, webhook } from "@servicewright/sdk";

export const receive = webhook((call, request) => {
  const { secret, workflow } = call.settings;
  if (!isGenuine(request, secret)) {
    return { status: 401, body: "The signature does not fit." };
  }
  const { id, summary } = request.json();
  if (typeof id !== "string" || typeof summary !== "string") {
    return { status: 400, body: "An alert has an `id` and a `summary`." };
  }
  return {
    status: 200,
    body: { accepted: id },
    delivery: request.header("x-delivery"),
    commands: [commands.create(workflow, { summary }, { reference: id })],
  };
});

function isGenuine(request, secret) {
  const [scheme, digits] = (request.header("x-signature") ?? "").split("=");
  const signature = signing.fromHex(digits);
  return scheme === "sha256" && signature !== null && signing.verifyHmacSha256(secret, request.body, signature);
}
