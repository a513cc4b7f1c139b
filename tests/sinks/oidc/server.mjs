// oidc-provider as an identity server for tests, with a receiver that takes its tokens. Settings: one line of JSON on
// standard input (clients, algorithms, ttl_s, tls, once). It writes its address once it listens, and ends with its standard input.
import { once } from 'node:events'
import { createServer } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { createInterface } from 'node:readline'
import Provider from 'oidc-provider'

const lines = createInterface({ input: process.stdin })
const [line] = await once(lines, 'line')
const settings = JSON.parse(line)
lines.on('close', () => process.exit(0))
console.warn = console.info = () => {}

let handle
const answer = (request, response) => handle(request, response)
const server = settings.tls ? createTlsServer({ ...settings.tls, requestCert: true, rejectUnauthorized: false }, answer) : createServer(answer)
server.listen(0, '127.0.0.1')
await once(server, 'listening')
const base = `${settings.tls ? 'https' : 'http'}://127.0.0.1:${server.address().port}`

const provider = new Provider(base, {
  clients: settings.clients.map((client) => ({
    redirect_uris: [],
    response_types: [],
    grant_types: ['client_credentials'],
    ...client
  })),
  scopes: ['implant', 'other'],
  ...(settings.algorithms && { enabledJWA: { clientAuthSigningAlgValues: settings.algorithms } }),
  ttl: { ClientCredentials: settings.ttl_s ?? 600 },
  clientAuthMethods: ['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'tls_client_auth'],
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    mTLS: {
      enabled: true,
      tlsClientAuth: true,
      getCertificate: (ctx) => ctx.socket.getPeerX509Certificate?.()?.toString(),
      certificateAuthorized: (ctx) => ctx.socket.authorized,
      certificateSubjectMatches: (ctx, property, expected) =>
        ctx.socket.getPeerX509Certificate().subject.includes(`CN=${expected.replace('CN=', '')}`)
    }
  }
})

const body = async (request) => {
  const parts = []
  for await (const part of request) parts.push(part)
  return Buffer.concat(parts)
}

const json = (response, status, content) => {
  response.writeHead(status, { 'Content-Type': 'application/json' })
  response.end(JSON.stringify(content))
}

const receiver = async (request, response) => {
  await body(request)
  const token = await provider.ClientCredentials.find((request.headers.authorization ?? '').slice(7))
  if (!token || token.isExpired) return json(response, 401, {})
  if (settings.once) await token.destroy()
  json(response, 200, { resourceType: 'Parameters', parameter: [{ name: 'scope', valueIdentifier: { value: token.scope } }] })
}

const callback = provider.callback()
handle = (request, response) => {
  if (request.url === '/fhir/.well-known/smart-configuration') request.url = '/.well-known/openid-configuration'
  if (request.url.startsWith('/fhir')) return receiver(request, response)
  return callback(request, response)
}
console.log(base)
