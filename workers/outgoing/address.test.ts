// Every spelling of an address that is not public is refused; the URL parser normalizes most spellings.
import { expect, it } from "vitest";
import { refusedTarget } from "./address.ts";

const refused = (url: string): string | null => refusedTarget(new URL(url), false);

it.each([
  "http://127.0.0.1/",
  "http://127.1/",
  "http://2130706433/",
  "http://0x7f.0.0.1/",
  "http://0177.0.0.1/",
  "http://0/",
  "http://10.255.255.255/",
  "http://100.64.0.1/",
  "http://169.254.169.254/latest/meta-data/",
  "http://172.16.0.1/",
  "http://172.31.255.255/",
  "http://192.0.2.1/",
  "http://192.168.1.1:8080/",
  "http://198.18.0.1/",
  "http://198.19.255.255/",
  "http://203.0.113.7/",
  "http://224.0.0.1/",
  "http://255.255.255.255/",
  "http://１２７.０.０.１/",
  "http://127.0.0.1./",
  "http://[::1]/",
  "http://[::]/",
  "http://[::ffff:127.0.0.1]/",
  "http://[::ffff:a00:1]/",
  "http://[64:ff9b::7f00:1]/",
  "http://[fe80::1]/",
  "http://[fc00::1]/",
  "http://[fd12:3456::1]/",
  "http://[ff02::1]/",
  "http://[2001::1]/",
  "http://[2001:db8::1]/",
  "http://[2002:7f00:1::]/",
  "http://[3fff::1]/",
  "http://localhost/",
  "http://LOCALHOST./",
  "http://api.localhost/",
  "http://printer.local/",
  "http://metadata.google.internal/",
  "http://router.home.arpa/",
  "http://intranet/",
])("refuses %s", (url) => {
  expect(refused(url)).toBe("private, loopback and link-local addresses cannot be fetched");
});

it.each([
  "https://example.com/",
  "http://example.com:8080/a?b",
  "http://9.255.255.255/",
  "http://11.0.0.0/",
  "http://100.63.255.255/",
  "http://100.128.0.0/",
  "http://126.255.255.255/",
  "http://128.0.0.1/",
  "http://172.15.255.255/",
  "http://172.32.0.0/",
  "http://192.167.255.255/",
  "http://198.20.0.0/",
  "http://223.255.255.255/",
  "http://[2606:4700::1111]/",
  "http://[2001:200::1]/",
  "http://localhost.example.com/",
  "http://local.example/",
])("allows %s", (url) => {
  expect(refused(url)).toBeNull();
});

it.each(["ftp://example.com/", "file:///etc/passwd", "data:text/plain,a", "javascript:1", "ws://example.com/"])(
  "refuses %s, which is not HTTP, even if private targets are allowed",
  (url) => {
    expect(refused(url)).toBe("only http and https URLs can be fetched");
    expect(refusedTarget(new URL(url), true)).toBe("only http and https URLs can be fetched");
  },
);

it("allows a loopback address if private targets are allowed", () => {
  expect(refusedTarget(new URL("http://127.0.0.1:9/"), true)).toBeNull();
});
