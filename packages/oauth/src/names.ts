/** Wire names of the grants that Portvakt speaks. */
export const grantTypes = {
  /** RFC 6749 section 4.1 */
  authorizationCode: "authorization_code",
  /** RFC 6749 section 6 */
  refreshToken: "refresh_token",
  /** RFC 6749 section 4.4 */
  clientCredentials: "client_credentials",
  /** RFC 7523 section 2.1; also Entra ID's on-behalf-of */
  jwtBearer: "urn:ietf:params:oauth:grant-type:jwt-bearer",
  /** RFC 8693 section 2.1 */
  tokenExchange: "urn:ietf:params:oauth:grant-type:token-exchange",
} as const;

export type GrantType = (typeof grantTypes)[keyof typeof grantTypes];

/** Token type identifiers, RFC 8693 section 3. */
export const tokenTypes = {
  jwt: "urn:ietf:params:oauth:token-type:jwt",
  accessToken: "urn:ietf:params:oauth:token-type:access_token",
  idToken: "urn:ietf:params:oauth:token-type:id_token",
  refreshToken: "urn:ietf:params:oauth:token-type:refresh_token",
} as const;

export type TokenType = (typeof tokenTypes)[keyof typeof tokenTypes];

/** `client_assertion_type` of RFC 7523 section 2.2. */
export const clientAssertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
