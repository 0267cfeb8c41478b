"""The service this API replaces, written anew from its description: torch, torchvision and FastAPI, one coroutine.

    uvicorn benchmarks.peers.replaced:app

Its weights are random: an answer takes as long whatever it says.
"""

import io
from typing import Annotated

import torch
from fastapi import FastAPI, File, UploadFile
from PIL import Image
from torch import Tensor, nn
from torchvision import transforms


class LargerCNN(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 64, 3, padding=1)
        self.conv2 = nn.Conv2d(64, 128, 3, padding=1)
        self.conv3 = nn.Conv2d(128, 256, 3, padding=1)
        self.fc1 = nn.Linear(256 * 7 * 7, 512)
        self.fc2 = nn.Linear(512, 256)
        self.fc3 = nn.Linear(256, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.conv1(x))
        x = torch.max_pool2d(torch.relu(self.conv2(x)), 2)
        x = torch.max_pool2d(torch.relu(self.conv3(x)), 2)
        x = torch.relu(self.fc1(x.flatten(1)))
        return self.fc3(torch.relu(self.fc2(x)))


model = LargerCNN().eval()
transform = transforms.Compose(
    [transforms.Resize((28, 28)), transforms.ToTensor(), transforms.Normalize((0.5,), (0.5,))]
)
app = FastAPI()


@app.post("/predict/")
async def predict(file: Annotated[UploadFile, File()]) -> dict[str, int]:
    image = Image.open(io.BytesIO(await file.read())).convert("L")
    with torch.no_grad():
        output = model(transform(image).unsqueeze(0))
    return {"predicted_digit": int(output.argmax(1))}
