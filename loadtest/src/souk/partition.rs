//! Networks that fail: a node's packets to the others and to its servers are dropped by rules of the firewall, while its callers still
//! reach it. All nodes run on one machine, so the rules tell them apart by the user each of them runs as.

use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};

/// First of the users nodes run as: far above what systems give out.
const FIRST_USER: u32 = 61_001;

/// One table of rules of this run's own. It goes when this is dropped.
#[derive(Debug)]
pub struct Firewall {
    table: String,
}

impl Firewall {
    /// None where the machine does not allow it: that takes root, `nft` and a kernel with nf_tables.
    pub fn new() -> Option<Self> {
        let table = format!("souk_load_{}", std::process::id());
        let firewall = Self { table };
        let hook = "{ type filter hook output priority 0; policy accept; }";
        let made = firewall
            .nft(&["add", "table", "inet", &firewall.table])
            .and_then(|()| firewall.nft(&["add", "chain", "inet", &firewall.table, "out", hook]));
        made.is_ok().then_some(firewall)
    }

    /// The user the `number`-th node runs as.
    pub fn user(number: usize) -> u32 {
        FIRST_USER + number as u32
    }

    /// Nothing of the node comes through to these ports any more, nor what it says as the server of its own.
    pub fn cut_off(&self, number: usize, to: &[u16], own: u16) -> Result<()> {
        let user = Self::user(number).to_string();
        let to: Vec<String> = to.iter().map(u16::to_string).collect();
        let to = format!("{{ {} }}", to.join(", "));
        let rule = ["add", "rule", "inet", &self.table, "out", "meta", "skuid", &user];
        self.nft(&[&rule[..], &["tcp", "dport", &to, "drop"]].concat())?;
        self.nft(&[&rule[..], &["tcp", "sport", &own.to_string(), "drop"]].concat())
    }

    /// Everything comes through again.
    pub fn mend(&self) -> Result<()> {
        self.nft(&["flush", "chain", "inet", &self.table, "out"])
    }

    fn nft(&self, arguments: &[&str]) -> Result<()> {
        let output =
            Command::new("nft").args(arguments).stdin(Stdio::null()).output().context("running nft")?;
        ensure!(output.status.success(), "nft: {}", String::from_utf8_lossy(&output.stderr).trim());
        Ok(())
    }
}

impl Drop for Firewall {
    fn drop(&mut self) {
        // Not there: it could not be made.
        self.nft(&["delete", "table", "inet", &self.table]).ok();
    }
}

/// The port of host:port.
pub fn port(address: &str) -> Result<u16> {
    match address.rsplit_once(':').map(|(_, port)| port.parse()) {
        Some(Ok(port)) => Ok(port),
        _ => bail!("{address} has no port"),
    }
}
