// SPDX-License-Identifier: Apache-2.0
// lib/trust.mjs - the certificate that a server shows, and a browser that takes
// this one and no other unknown one

import { createHash, X509Certificate } from 'node:crypto';
import { connect } from 'node:tls';

// Return: X509Certificate
export function certificateOf(host, port) {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, rejectUnauthorized: false }, () => {
      const certificate = new X509Certificate(socket.getPeerCertificate().raw);
      socket.destroy();
      resolve(certificate);
    });
    socket.on('error', reject);
  });
}

// What Chromium is started with to trust that server.
export async function trustFlags(host, port) {
  const certificate = await certificateOf(host, port);
  const key = certificate.publicKey.export({ type: 'spki', format: 'der' });
  const hash = createHash('sha256').update(key).digest('base64');
  return [`--ignore-certificate-errors-spki-list=${hash}`];
}
