"""The simulator's addresses, as a starlette application.

POST /connect/token · POST [base]/$associer-implants-registre · POST [base]/Procedure/$associer-implants-procedure ·
POST [base] (a transaction Bundle) · GET [base]/.well-known/smart-configuration · GET /simulator/calls (what was called,
without any value). [base] is ``/fhir``.
"""

from __future__ import annotations

import asyncio
import json
import random
import socket
import struct
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
from hashlib import sha256
from typing import Any

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from fhirmap.events import SimulatorAnswered, emit
from fhirmap.registry.config import InjectedFault, InjectedKind, RegistryConfig
from fhirmap.registry.declaration import Declaration, Problem, read_draft, read_published
from fhirmap.registry.identity import ALGORITHMS, METHODS, IdentityServer
from fhirmap.registry.pairing import PairingResult, Registry, SeenCall, matches

__all__ = ["BASE", "Simulator"]

BASE = "/fhir"
TOKEN_PATH = "/connect/token"
_FHIR = "application/fhir+json"
_NO_DECLARATION = Declaration("", "", "", "", "", "", ())
_HTML = b"<!DOCTYPE html><html><body><h1>Portail</h1><p>Veuillez vous identifier.</p></body></html>"
_WORDS = {
    400: ("invalid", "Requête incorrecte."),
    401: ("login", "Jeton absent ou expiré."),
    403: ("forbidden", "Portée non accordée à ce client."),
    404: ("not-found", "Ressource inconnue."),
    422: ("processing", "Aucune intervention du registre ne correspond."),
    429: ("throttled", "Débit dépassé."),
}
_CARRIED_OUT = frozenset(
    {
        InjectedKind.RESET,
        InjectedKind.TIMEOUT,
        InjectedKind.SLOW,
        InjectedKind.TRUNCATED,
        InjectedKind.HTML,
        InjectedKind.EMPTY,
        InjectedKind.NOT_FHIR,
        InjectedKind.NO_IDENTIFIER,
        InjectedKind.BARE_OUTCOME,
    }
)
"""Faults that strike after the declaration has been taken in."""

Reader = Callable[[Mapping[str, Any]], tuple[Declaration, list[Problem]]]
Builder = Callable[[PairingResult, RegistryConfig], Mapping[str, Any]]


class Simulator:
    """One registry with its identity server. ``app`` is what a server runs."""

    def __init__(self, config: RegistryConfig, *, clock: Callable[[], float] = time.time) -> None:
        self.registry = Registry(config)
        self.identity = IdentityServer(config.clients, config.token_life_s, clock)
        self._config = config
        self._clock = clock
        self._random = random.Random(config.seed)
        self._struck: dict[int, int] = {}
        self._recent: dict[str, deque[float]] = {}
        published = self._operation(read_published, _published_answer)
        self.app = Starlette(
            routes=[
                Route(TOKEN_PATH, self._token, methods=["POST"]),
                Route(f"{BASE}/$associer-implants-registre", published, methods=["POST"]),
                Route(
                    f"{BASE}/Procedure/$associer-implants-procedure",
                    self._operation(read_draft, _draft_answer),
                    methods=["POST"],
                ),
                Route(BASE, self._transaction, methods=["POST"]),
                Route(f"{BASE}/.well-known/smart-configuration", self._configuration, methods=["GET"]),
                Route("/simulator/calls", self._calls, methods=["GET"]),
            ]
        )

    async def _token(self, request: Request) -> Response:
        authorization = request.headers.get("authorization", "")
        status, content = self.identity.answer(await request.body(), authorization, str(request.url))
        emit(SimulatorAnswered("/connect/token", status))
        return JSONResponse(content, status, headers={"Cache-Control": "no-store"})

    async def _configuration(self, request: Request) -> Response:
        """Where tokens come from, as SMART App Launch 2.2 has it."""
        scopes = dict.fromkeys(scope for client in self._config.clients for scope in client.scope.split())
        return JSONResponse(
            {
                "token_endpoint": str(request.url.replace(path=TOKEN_PATH, query="")),
                "grant_types_supported": ["client_credentials"],
                "token_endpoint_auth_methods_supported": list(METHODS),
                "token_endpoint_auth_signing_alg_values_supported": list(ALGORITHMS),
                "scopes_supported": list(scopes),
                "capabilities": ["client-confidential-symmetric", "client-confidential-asymmetric"],
            }
        )

    async def _calls(self, _request: Request) -> Response:
        return JSONResponse(
            {
                "calls": [asdict(call) for call in self.registry.calls],
                "associated": self.registry.associated,
                "repeats": self.registry.repeats,
                "tokens": self.identity.issued,
            }
        )

    def _operation(self, read: Reader, build: Builder) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            body = await request.body()
            declaration, problems = _read(body, "Parameters", read)
            return await self._answer(
                request,
                body,
                declaration,
                lambda digest: self.registry.pair(declaration, problems, digest),
                build,
            )

        return endpoint

    async def _transaction(self, request: Request) -> Response:
        body = await request.body()
        entries: list[Any] = []

        def read(resource: Mapping[str, Any]) -> tuple[Declaration, list[Problem]]:
            found = resource.get("entry")
            entries.extend(entry for entry in found if isinstance(entry, dict)) if isinstance(found, list) else None
            if resource.get("type") != "transaction" or not entries:
                return _NO_DECLARATION, [Problem("structure", "Un Bundle de type transaction est attendu.")]
            return _NO_DECLARATION, []

        declaration, problems = _read(body, "Bundle", read)

        def classify(digest: str) -> PairingResult:
            if problems:
                return PairingResult(400, tuple(problems))
            identifier, repeated = self.registry.take_bundle(digest)
            return PairingResult(200, identifier=identifier, is_repeat=repeated)

        return await self._answer(
            request, body, declaration, classify, lambda verdict, config: _bundle_answer(verdict, config, entries)
        )

    async def _answer(
        self,
        request: Request,
        body: bytes,
        declaration: Declaration,
        classify: Callable[[str], PairingResult],
        build: Builder,
    ) -> Response:
        """The answer to one call: access, rate, fault, pairing, in this order."""
        digest = sha256(body).hexdigest()
        authorization = request.headers.get("authorization", "")
        refusal = self._access(authorization) or self._throttle(declaration.finess)
        fault = None if refusal else self._fault(declaration)
        verdict = None
        if refusal is None and (fault is None or fault.kind in _CARRIED_OUT):
            verdict = classify(digest)
        response = refusal or self._respond(verdict, fault, authorization, build)
        seen = SeenCall(
            number=len(self.registry.calls) + 1,
            request_key=request.headers.get("x-request-id", ""),
            digest=digest,
            fault=fault.kind if fault else "",
            status=response.status_code,
            carried_out=verdict is not None and verdict.status == 200,
            is_repeat=verdict is not None and verdict.is_repeat,
            identifier=verdict.identifier if verdict else "",
        )
        self.registry.calls.append(seen)
        emit(SimulatorAnswered(request.url.path, response.status_code, seen.request_key, seen.fault))
        if fault is not None:
            await self._misbehave(request, fault)
        return response

    def _access(self, authorization: str) -> Response | None:
        scope = self.identity.scope_of(authorization)
        if scope is None:
            return _outcome_response(401)
        return None if "implant" in scope.split() else _outcome_response(403)

    def _throttle(self, finess: str) -> Response | None:
        """429 where the establishment has called ``rate_per_s`` times within the last second."""
        recent = self._recent.setdefault(finess, deque())
        now = self._clock()
        while recent and recent[0] <= now - 1.0:
            recent.popleft()
        if len(recent) >= self._config.rate_per_s > 0:
            return _outcome_response(429, {"Retry-After": "1"} if self._config.retry_after else {})
        recent.append(now)
        return None

    def _fault(self, declaration: Declaration) -> InjectedFault | None:
        """The first fault that strikes at this call."""
        number = len(self.registry.calls) + 1
        for index, fault in enumerate(self._config.faults):
            if fault.times is not None and self._struck.get(index, 0) >= fault.times:
                continue
            if not matches(fault.match, declaration):
                continue
            always = bool(fault.match) and not fault.rate and not fault.calls
            if always or number in fault.calls or self._random.random() < fault.rate:
                self._struck[index] = self._struck.get(index, 0) + 1
                return fault
        return None

    def _respond(
        self, verdict: PairingResult | None, fault: InjectedFault | None, authorization: str, build: Builder
    ) -> Response:
        kind = fault.kind if fault else None
        headers = {"Retry-After": fault.retry_after_s} if fault and fault.retry_after_s else {}
        if kind is InjectedKind.STATUS_401:
            self.identity.revoke(authorization)
        if kind is not None and kind.isdigit():
            return _outcome_response(int(kind), headers)
        if verdict is None:
            return _html(503) if kind is InjectedKind.HTML_503 else _error_issue()
        if verdict.status != 200:
            return JSONResponse(_wrapped(_outcome(verdict.problems)), verdict.status, media_type=_FHIR)
        content = build(verdict, self._config)
        match kind:
            case InjectedKind.HTML:
                return _html(200)
            case InjectedKind.EMPTY:
                return Response(b"", 200, media_type=_FHIR)
            case InjectedKind.NOT_FHIR:
                return JSONResponse({"ok": True})
            case InjectedKind.BARE_OUTCOME:
                return JSONResponse(_outcome(()), media_type=_FHIR)
            case InjectedKind.NO_IDENTIFIER:
                return JSONResponse(_wrapped(_outcome(())), media_type=_FHIR)
            case InjectedKind.TRUNCATED:
                return _Truncated(json.dumps(content).encode())
            case _:
                return JSONResponse(content, media_type=_FHIR)

    async def _misbehave(self, request: Request, fault: InjectedFault) -> None:
        if fault.kind in (InjectedKind.RESET, InjectedKind.RESET_BEFORE):
            _reset(request)
        elif fault.kind is InjectedKind.SLOW:
            await asyncio.sleep(fault.after_s)
        elif fault.kind is InjectedKind.TIMEOUT:
            await _until_gone(request, fault.after_s)


class _Truncated(Response):
    """Announces its whole length, sends half, and closes."""

    media_type = _FHIR

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self.body = content[: len(content) // 2]

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": self.body, "more_body": True})
        transport = scope.get("state", {}).get("transport")
        await asyncio.sleep(0)
        if transport is not None:
            transport.close()


def _reset(request: Request) -> None:
    """Drops the connection as a crashed machine would: RST, no answer."""
    transport = request.scope.get("state", {}).get("transport")
    if transport is not None:
        raw = transport.get_extra_info("socket")
        if raw is not None:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()


async def _until_gone(request: Request, at_most_s: float) -> None:
    """Waits until the caller gives up."""
    try:
        async with asyncio.timeout(at_most_s):
            while not await request.is_disconnected():
                await asyncio.sleep(0.01)
    except (TimeoutError, ClientDisconnect):
        return


def _read(body: bytes, kind: str, read: Reader) -> tuple[Declaration, list[Problem]]:
    try:
        resource = json.loads(body)
    except ValueError:
        return _NO_DECLARATION, [Problem("structure", "Le corps n'est pas du JSON.")]
    if not isinstance(resource, dict) or resource.get("resourceType") != kind:
        return _NO_DECLARATION, [Problem("structure", f"Une ressource {kind} est attendue.")]
    return read(resource)


def _outcome(problems: tuple[Problem, ...]) -> Mapping[str, Any]:
    issues: list[Mapping[str, Any]] = [
        {
            "severity": "error",
            "code": problem.code,
            "diagnostics": problem.words,
            **({"expression": [problem.expression]} if problem.expression else {}),
        }
        for problem in problems
    ]
    success = {"severity": "information", "code": "informational", "diagnostics": "Implants associés à l'intervention."}
    return {"resourceType": "OperationOutcome", "issue": issues or [success]}


def _wrapped(outcome: Mapping[str, Any], *others: Mapping[str, Any], name: str = "result") -> Mapping[str, Any]:
    return {"resourceType": "Parameters", "parameter": [{"name": name, "resource": outcome}, *others]}


def _published_answer(verdict: PairingResult, config: RegistryConfig) -> Mapping[str, Any]:
    identifier = {"system": config.identifier_system, "value": verdict.identifier}
    return _wrapped(_outcome(()), {"name": "idRegistre", "valueIdentifier": identifier})


def _draft_answer(verdict: PairingResult, config: RegistryConfig) -> Mapping[str, Any]:
    identifier = {"system": config.identifier_system, "value": verdict.identifier}
    reference = {"name": "referenceRegistre", "valueIdentifier": identifier}
    return _wrapped(_outcome(()), reference, name="operationOutcome")


def _bundle_answer(verdict: PairingResult, config: RegistryConfig, entries: list[Any]) -> Mapping[str, Any]:
    answers: list[Mapping[str, Any]] = []
    for number, entry in enumerate(entries, 1):
        resource = entry.get("resource")
        kind = str(resource.get("resourceType", "Basic")) if isinstance(resource, dict) else "Basic"
        place = f"{kind}/{verdict.identifier}-{number}"
        status = "200 OK" if verdict.is_repeat else "201 Created"
        answer: dict[str, Any] = {"response": {"status": status, "location": f"{place}/_history/1"}}
        if kind == "Procedure":
            identifier = {"system": config.identifier_system, "value": verdict.identifier}
            answer["resource"] = {"resourceType": kind, "id": place.partition("/")[2], "identifier": [identifier]}
        answers.append(answer)
    return {"resourceType": "Bundle", "type": "transaction-response", "entry": answers}


def _outcome_response(status: int, headers: Mapping[str, str] | None = None) -> Response:
    code, words = _WORDS.get(status, ("exception", "Erreur interne."))
    content = _wrapped(_outcome((Problem(code, words),)))
    return JSONResponse(content, status, headers=headers, media_type=_FHIR)


def _error_issue() -> Response:
    content = _wrapped(_outcome((Problem("processing", "L'association n'a pas pu être enregistrée."),)))
    return JSONResponse(content, 200, media_type=_FHIR)


def _html(status: int) -> Response:
    return Response(_HTML, status, media_type="text/html")
