//! The tools: their names, what they take, what they answer.

use std::borrow::Cow;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, Implementation, InitializeResult,
    JsonObject, ListToolsResult, PaginatedRequestParams, ServerCapabilities, Tool,
};
use rmcp::service::RequestContext;
use rmcp::{ErrorData, RoleServer, ServerHandler};
use serde_json::{Value, json};

/// What is asked.
#[derive(Debug, Clone, Default)]
pub struct Ask {
    /// Which tool.
    pub tool: String,
    /// What it is to do.
    pub action: String,
    /// The same at length.
    pub description: String,
    /// Its parameters.
    pub params: JsonObject,
    /// Where.
    pub path: Option<String>,
    /// How long somebody has to answer; `None`: as the server or its caller chose.
    pub wait: Option<Duration>,
}

/// How it ended.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The request's id.
    pub id: String,
    /// `granted`, `denied`, `expired` or `cancelled`.
    pub status: String,
    /// Who decided.
    pub decided_by: Option<String>,
    /// Why.
    pub reason: Option<String>,
    /// The parameters to use instead.
    pub edited_params: Option<Value>,
}

/// Which requests to list.
#[derive(Debug, Clone, Default)]
pub struct Listing {
    /// Of this status.
    pub status: Option<String>,
    /// Of this session.
    pub session: Option<String>,
}

/// Whoever can be asked. An error is a sentence for the agent.
pub trait Approvals: Clone + Send + Sync + 'static {
    /// Asks, and waits for the answer.
    fn ask(
        &self,
        ask: Ask,
        context: &RequestContext<RoleServer>,
    ) -> impl Future<Output = Result<Outcome, String>> + Send;
    /// Lists what the caller may see, as the API does.
    fn list(
        &self,
        listing: Listing,
        context: &RequestContext<RoleServer>,
    ) -> impl Future<Output = Result<Value, String>> + Send;
}

/// The tools of one who can be asked.
#[derive(Debug, Clone)]
pub struct Tools<A>(pub A);

const PROMPT: &str = "permission_prompt";
const ASK: &str = "ask_permission";
const LIST: &str = "list_permissions";

fn schema(properties: &Value, required: &[&str]) -> Arc<JsonObject> {
    let schema = json!({"type": "object", "properties": properties, "required": required});
    let Value::Object(schema) = schema else { return Arc::default() };
    Arc::new(schema)
}

fn tools() -> Vec<Tool> {
    let text = |description: &str| json!({"type": "string", "description": description});
    vec![
        Tool::new(
            PROMPT,
            "Asks a person, or a standing rule, whether a tool may be used with this input. For the option \
             --permission-prompt-tool of Claude Code.",
            schema(
                &json!({
                    "tool_name": text("The tool that wants to run"),
                    "input": {"type": "object", "description": "Its input"},
                    "tool_use_id": text("Names the tool call"),
                }),
                &["tool_name", "input"],
            ),
        ),
        Tool::new(
            ASK,
            "Asks a person for permission and waits for the answer. Go on only if `status` is `granted`, and with \
             `edited_params` if there are any.",
            schema(
                &json!({
                    "tool": text("What wants to be used"),
                    "action": text("What it is to do, in one line"),
                    "description": text("The same at length"),
                    "params": {"type": "object", "description": "Its parameters; a shell command as `command`"},
                    "path": text("The file or directory that it is about"),
                    "wait_seconds": {"type": "integer", "minimum": 1, "description": "How long somebody has to answer"},
                }),
                &["tool", "action"],
            ),
        ),
        Tool::new(
            LIST,
            "Lists requests for permission that you may see, and what became of them.",
            schema(
                &json!({
                    "status": {"type": "string", "enum": ["pending", "granted", "denied", "expired", "cancelled"]},
                    "session": text("Of this session only"),
                }),
                &[],
            ),
        ),
    ]
}

impl<A: Approvals> ServerHandler for Tools<A> {
    fn get_info(&self) -> InitializeResult {
        InitializeResult::new(ServerCapabilities::builder().enable_tools().build())
            .with_server_info(Implementation::new("grantd", env!("CARGO_PKG_VERSION")))
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::with_all_items(tools()))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let input = Input(request.arguments.unwrap_or_default());
        let result = match &*request.name {
            PROMPT => self.prompt(input, &context).await?,
            ASK => self.ask(input, &context).await?,
            LIST => {
                let listing =
                    Listing { status: input.optional("status")?, session: input.optional("session")? };
                said(self.0.list(listing, &context).await)
            }
            _ => return Err(ErrorData::invalid_params("there is no such tool", None)),
        };
        Ok(result.into())
    }
}

/// The arguments of a call.
struct Input(JsonObject);

impl Input {
    fn optional(&self, name: &'static str) -> Result<Option<String>, ErrorData> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(wrong(name, "must be a string")),
        }
    }

    fn required(&self, name: &'static str) -> Result<String, ErrorData> {
        self.optional(name)?.ok_or_else(|| wrong(name, "is missing"))
    }

    fn object(&self, name: &'static str) -> Result<JsonObject, ErrorData> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(JsonObject::new()),
            Some(Value::Object(object)) => Ok(object.clone()),
            Some(_) => Err(wrong(name, "must be an object")),
        }
    }

    fn seconds(&self, name: &'static str) -> Result<Option<Duration>, ErrorData> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => match value.as_u64().filter(|seconds| *seconds > 0) {
                Some(seconds) => Ok(Some(Duration::from_secs(seconds))),
                None => Err(wrong(name, "must be a number of seconds, at least 1")),
            },
        }
    }
}

fn wrong(name: &str, problem: &str) -> ErrorData {
    ErrorData::invalid_params(Cow::Owned(format!("`{name}` {problem}")), None)
}

/// A value as the one text block of an answer.
fn text(value: &Value) -> CallToolResult {
    CallToolResult::success(vec![ContentBlock::text(value.to_string())])
}

fn said(answer: Result<Value, String>) -> CallToolResult {
    match answer {
        Ok(value) => text(&value),
        Err(sentence) => CallToolResult::error(vec![ContentBlock::text(sentence)]),
    }
}

impl<A: Approvals> Tools<A> {
    /// Never an error: what could not be asked is denied.
    async fn prompt(
        &self,
        input: Input,
        context: &RequestContext<RoleServer>,
    ) -> Result<CallToolResult, ErrorData> {
        let (tool, params) = (input.required("tool_name")?, input.object("input")?);
        // It names a call of the protocol, of which nobody who decides knows; it only has to be well-formed.
        input.optional("tool_use_id")?;
        let command = params.get("command").and_then(Value::as_str);
        let action =
            command.map_or_else(|| format!("Use {tool}"), |command| format!("Execute command: {command}"));
        let ask = Ask {
            action,
            description: params.get("description").and_then(Value::as_str).unwrap_or_default().into(),
            path: ["file_path", "path", "cwd"]
                .iter()
                .find_map(|name| params.get(*name)?.as_str())
                .map(Into::into),
            tool,
            params: params.clone(),
            wait: None,
        };
        Ok(text(&match self.0.ask(ask, context).await {
            Ok(outcome) if outcome.status == "granted" => {
                let updated = outcome.edited_params.unwrap_or(Value::Object(params));
                json!({"behavior": "allow", "updatedInput": updated})
            }
            Ok(outcome) => json!({"behavior": "deny", "message": outcome.sentence()}),
            Err(sentence) => {
                json!({"behavior": "deny", "message": format!("Permission could not be asked for: {sentence}")})
            }
        }))
    }

    async fn ask(
        &self,
        input: Input,
        context: &RequestContext<RoleServer>,
    ) -> Result<CallToolResult, ErrorData> {
        let action = input.required("action")?;
        let ask = Ask {
            tool: input.required("tool")?,
            description: input.optional("description")?.unwrap_or_else(|| action.clone()),
            action,
            params: input.object("params")?,
            path: input.optional("path")?,
            wait: input.seconds("wait_seconds")?,
        };
        let outcome = self.0.ask(ask, context).await;
        Ok(said(outcome.map(|outcome| {
            json!({
                "id": outcome.id,
                "status": outcome.status,
                "message": outcome.sentence(),
                "reason": outcome.reason,
                "edited_params": outcome.edited_params,
            })
        })))
    }
}

impl Outcome {
    /// What the agent is told.
    fn sentence(&self) -> String {
        let by = self.decided_by.as_deref().map(|by| format!(" by {by}")).unwrap_or_default();
        let why = self.reason.as_deref().map(|why| format!(": {why}")).unwrap_or_default();
        match self.status.as_str() {
            "granted" => format!("Granted{by}{why}"),
            "expired" => "Timed out: nobody decided in time, which is a denial.".into(),
            "cancelled" => format!("Cancelled{by}{why}"),
            _ => format!("Denied{by}{why}"),
        }
    }
}
