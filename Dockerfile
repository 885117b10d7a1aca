FROM python:3.13-slim
WORKDIR /app
COPY . .
RUN pip install --no-cache-dir uv==0.13.8 && uv sync --frozen --no-dev
ENV PATH=/app/.venv/bin:$PATH
EXPOSE 8080
CMD ["tieout", "serve", "--host", "0.0.0.0"]
