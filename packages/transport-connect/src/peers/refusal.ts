/** Errors of this package on their way over Connect: the code travels as a detail, beside the status that everybody knows. */
import { create } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { TransportError, type TransportErrorCode } from "../errors.ts";
import { RefusalSchema } from "../gen/khonsu/peer/v1/peer_pb.ts";

const STATUS: Record<TransportErrorCode, Code> = {
  KHONSU_INVALID_OPTION: Code.InvalidArgument,
  KHONSU_TLS_INVALID: Code.Unauthenticated,
  KHONSU_LISTEN_FAILED: Code.Unavailable,
  KHONSU_TRANSPORT_CLOSED: Code.Unavailable,
  KHONSU_PEER_UNREACHABLE: Code.Unavailable,
  KHONSU_PEER_TIMEOUT: Code.DeadlineExceeded,
  KHONSU_PEER_FAILED: Code.Unknown,
  KHONSU_OVERLOADED: Code.ResourceExhausted,
  KHONSU_PEER_UNAUTHENTICATED: Code.Unauthenticated,
  KHONSU_PROTOCOL_VERSION: Code.FailedPrecondition,
  KHONSU_PEER_MISMATCH: Code.FailedPrecondition,
  KHONSU_PEER_STALE: Code.FailedPrecondition,
  KHONSU_FRAME_MALFORMED: Code.InvalidArgument,
  KHONSU_FRAME_TOO_LARGE: Code.ResourceExhausted,
  KHONSU_UNAUTHENTICATED: Code.Unauthenticated,
  KHONSU_TOKENS_INVALID: Code.Internal,
  KHONSU_CLUSTER_MISMATCH: Code.FailedPrecondition,
  KHONSU_CLIENT_TOO_SLOW: Code.Unavailable,
  KHONSU_INTERNAL: Code.Internal,
};

export function toConnectError(error: TransportError): ConnectError {
  const detail = { desc: RefusalSchema, value: create(RefusalSchema, { code: error.code }) };
  return new ConnectError(error.message, STATUS[error.code], undefined, [detail], error);
}

/** @param what failed, for errors that the other side did not make */
export function fromConnectError(what: string, reason: unknown): TransportError {
  if (reason instanceof TransportError) return reason;
  const error = ConnectError.from(reason);
  const code = error.findDetails(RefusalSchema)[0]?.code;
  if (code !== undefined && Object.hasOwn(STATUS, code)) {
    return new TransportError(code as TransportErrorCode, error.rawMessage, { cause: reason });
  }
  return new TransportError("KHONSU_PEER_UNREACHABLE", `${what}: ${error.message}`, { cause: reason });
}
