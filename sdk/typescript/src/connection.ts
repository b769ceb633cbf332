/** A channel and the calls on it. */

import { type DescMessage, type DescMethodUnary, fromBinary, type MessageShape, toBinary } from "@bufbuild/protobuf";
import { Client as Channel, type ClientUnaryCall, Metadata, type ServiceError } from "@grpc/grpc-js";

import { channelOptions, type Settings } from "./config.js";
import type { Deadline } from "./deadline.js";
import { WildgateUsageError } from "./errors.js";
import { errorFromRpc } from "./status.js";

/** What travels beside a request. */
export interface CallOptions {
  readonly deadline: Deadline;
  readonly signal?: AbortSignal | undefined;
  readonly requestId?: string | undefined;
}

/** One channel: a connection to each address of the service, made when it is made and again when it is lost. */
export class Connection {
  readonly #channel: Channel;
  readonly #metadata = new Metadata();
  readonly #inFlight = new Set<() => void>();
  #closed = false;

  /** Open the channel and start connecting. */
  constructor({ target, credentials, apiKey }: Settings) {
    if (apiKey !== undefined) this.#metadata.set("authorization", `Bearer ${apiKey}`);
    this.#channel = new Channel(target, credentials, channelOptions(target));
    this.#channel.getChannel().getConnectivityState(true);
  }

  /** Make a call; rejects with a WildgateError, or with the reason of an aborted signal. */
  async send<Request extends DescMessage, Response extends DescMessage>(
    method: DescMethodUnary<Request, Response>,
    request: MessageShape<Request>,
    { deadline, signal, requestId }: CallOptions,
  ): Promise<MessageShape<Response>> {
    signal?.throwIfAborted();
    if (this.#closed) throw closedError();
    const ends = Date.now() + deadline.remaining();
    return new Promise((resolve, reject) => {
      const settle = (failure: ServiceError | null, response: MessageShape<Response> | undefined): void => {
        signal?.removeEventListener("abort", abort);
        this.#inFlight.delete(end);
        if (response !== undefined && failure === null) resolve(response);
        else reject(failure === null ? closedError() : errorFromRpc(failure, requestId));
      };
      const call: ClientUnaryCall = this.#channel.makeUnaryRequest(
        `/${method.parent.typeName}/${method.name}`,
        (message: MessageShape<Request>) => asBuffer(toBinary(method.input, message)),
        (bytes: Buffer) => fromBinary(method.output, bytes),
        request,
        this.#metadata,
        { deadline: ends },
        settle,
      );
      const stop = (reason: Error): void => {
        reject(reason); // before gRPC's own answer to the cancellation, which is then not heard
        call.cancel();
      };
      const abort = (): void => {
        stop(signal?.reason as Error);
      };
      const end = (): void => {
        stop(closedError());
      };
      signal?.addEventListener("abort", abort, { once: true });
      this.#inFlight.add(end);
    });
  }

  /** End the connection; calls in flight fail. Closing twice is fine. */
  close(): void {
    this.#closed = true;
    for (const end of [...this.#inFlight]) end();
    this.#channel.close();
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function closedError(): WildgateUsageError {
  return new WildgateUsageError("the client is closed", { reason: "UNUSABLE" });
}
